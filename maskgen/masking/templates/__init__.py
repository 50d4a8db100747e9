"""Mask templates: the library of images and descriptions, recolouring, pyramids and previews."""
