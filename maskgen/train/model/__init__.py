"""Models: backbones, building, safe loading, the classifier around a model, export and benchmarks.

::

    backbones -> build.build_model -> Keras model -fit-> .keras -load (checked)-> classifier -> export, bench
"""

from maskgen.train.model.build import build_model

__all__ = ["build_model"]
