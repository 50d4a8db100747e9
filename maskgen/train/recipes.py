"""Recipes of training: the options in which they differ from the standard one.

``docs/reference/training.md`` has the measurements behind them.
"""

from typing import Any

# Recipe -> field of `TrainOptions` -> value. What a recipe does not name has the default of its field.
RECIPES: dict[str, dict[str, Any]] = {
    "fast": {"epochs": 5, "fine_tune_epochs": 4, "average": 0.99},
    "standard": {"epochs": 8, "fine_tune_epochs": 12, "average": 0.998},
    "long": {"epochs": 8, "fine_tune_epochs": 40, "average": 0.999, "erasing": 0.4, "patience": 10},
}
# The options that a recipe chooses.
CHOSEN = frozenset(name for recipe in RECIPES.values() for name in recipe)
