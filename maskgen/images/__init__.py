"""Images as bytes and as pixels: which formats are read, how they are decoded and encoded.

::

    bytes -codec.decode-> DecodedImage (BGR, upright) -codec.encode-> EncodedImage
"""
