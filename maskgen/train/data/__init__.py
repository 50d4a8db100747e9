"""Training data: from folders to batches for Keras.

::

    listing -> gather -> splits, leaks -> feed (model_input, augment) -> batches

`examples` has the records that pass along: `Example` for an image that is used, `Dropped` for one that is
not. `model_input` has the crop and the scaling of an image for a model, in training and in prediction.
"""
