"""Keras models: build, save, load safely, run, export and benchmark.

::

    backbones -> build -> (training) -> .keras file with its spec -> load -> classifier -> probabilities
                                                                  export, bench

`load` also opens files of unknown origin: it checks them before Keras does.
"""

from maskgen.train.model.build import build_model

__all__ = ["build_model"]
