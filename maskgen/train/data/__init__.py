"""Training data: from folders to batches for Keras.

::

    from_manifest, from_folders -> gather -> groups, splits, leaks -> feed (model_input, augment) -> batches

`examples` has the records that pass along: `Example` for an image that is used, `Dropped` for one that is
not. `crops` has the rule for the part of an image that a model sees, in training and in prediction.
"""
