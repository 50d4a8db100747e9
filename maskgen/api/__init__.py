"""The public Python interface, which `maskgen` itself offers by name.

    open_dataset -> Sample -Masker-> MaskResult (image, alpha, faces, status)

`masker` masks images, `pixels` converts a caller's images, `engines` shares one landmark model in a process,
and `reading` opens datasets and results.
"""
