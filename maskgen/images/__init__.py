"""Image decoding and encoding.

    bytes -codec.decode-> DecodedImage (BGR, upright) -codec.encode-> EncodedImage

`formats` recognises a format by its first bytes, `to_bgr` converts the pixels of every Pillow mode,
`color_profile` reduces a colour profile to its colour data, `grid` arranges images.
"""
