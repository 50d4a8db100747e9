"""Training a classifier on what `maskgen synth` wrote, or on a plain tree of images.

::

    DATA -gather-> Example, ... -assign_splits-> Example, ... -Feed-> batches -fit-> model + history
           |                          |                                          |
        Dropped, ...             find_leaks: none                     run folder: metrics, curves, card

It knows the manifest and nothing else of maskgen's other half. An *example* is one image with its class;
what cannot become one is *dropped*, with a reason, and counted wherever a figure is given. Tensorflow is
imported inside functions, through `maskgen.keras_runtime`.
"""
