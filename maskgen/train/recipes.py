"""Recipes of training: epochs, and the options in which a recipe differs from the defaults.

``docs/reference/training.md`` has the measurements behind them.
"""

from typing import Any

# Recipe -> maximum epochs of phase 1 and of phase 2; from scratch, their sum.
EPOCHS = {"fast": (5, 4), "standard": (8, 12), "long": (8, 40)}
# Recipe -> field of `TrainOptions` or of its `Augmentation` -> value.
RECIPES: dict[str, dict[str, Any]] = {
    "fast": {"average": 0.99},
    "standard": {"average": 0.998},
    "long": {"average": 0.999, "erasing": 0.4, "patience": 10},
}
# The options that a recipe chooses.
CHOSEN = frozenset(name for recipe in RECIPES.values() for name in recipe)
