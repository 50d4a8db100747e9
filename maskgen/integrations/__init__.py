"""`maskgen.Masker` as a random transform of other libraries: one module for each library.

Each has a class `RandomMask`, which masks an image with a probability ``p`` and draws from the library's own
random numbers, so that the library's seeds decide. The libraries are not installed with maskgen, and each is
imported only by its module.
"""
