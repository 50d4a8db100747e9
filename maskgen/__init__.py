"""maskgen turns public face datasets into masked-face datasets.

The way through the house::

    FaceDataset -> Sample -read-> image -FaceLandmarker-> Landmarks
                                                            |
                          MaskTemplate --fit--> Layer (BGR + alpha, in image space)
                                                  |
                                   image + Layer -Compositor-> Composite -Writer-> file + manifest row

`maskgen.records` defines the nouns. A *fit* puts a template into image space, a *compositor* only blends
a layer into an image, and `maskgen.masking.mask_face` joins them: `plan` draws every random choice, and
`mask_face` is a pure function of the image and the plan. Importing this module imports nothing heavy.
"""

__version__ = "0.1.0"
