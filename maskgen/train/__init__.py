"""Train, evaluate and use a classifier on the output of `maskgen synth` or on a folder tree of images.

::

    DATA -gather-> Example, ... -assign_splits-> Example, ... -Feed-> batches -fit-> model + history
           |                          |                                          |
        Dropped, ...             find_leaks: none                     run folder: metrics, curves, card

An *example* is one image with its class. Any other image is *dropped* with a reason, and every table counts
it. `data/` makes the batches, `model/` has the networks and `predict/` runs them on unlabelled images.
TensorFlow is imported inside functions, through `maskgen.keras_runtime`.
"""
