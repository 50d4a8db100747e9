"""Shift and temperature of a classifier's logits, as a change of its last layer's weights.

A model's probabilities are the softmax of its logits z. `Calibration` replaces them by z' = (z - shift) / T.
As z is the output of a dense layer, z' is too, with other weights. So the most probable class of the model,
of every export and in every plot is the class that maskgen predicts, and two classes are cut at 0.5.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAST_LAYER = "classes"
# log(0) is minus infinity; the smallest normal float32 is as far away as a float32 softmax can tell.
_SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Calibration:
    """How the logits of a model change; the default changes nothing."""

    shift: float = 0.0  # subtracted from the logit of the second of two classes; 0 for more classes
    temperature: float = 1.0  # divides all logits (Guo et al. 2017)

    @classmethod
    def of_threshold(cls, threshold: float) -> "Calibration":
        """Move a threshold on the probability of the second class, inside (0, 1), to 0.5."""
        threshold = min(max(threshold, _SMALLEST), 1 - 2**-53)
        return cls(math.log(threshold) - math.log1p(-threshold))

    @property
    def threshold(self) -> float:
        """The probability of the second class, before the change, that becomes 0.5."""
        return 1 / (1 + math.exp(-self.shift))

    def probabilities(self, before: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probabilities of a model after the change, from (n, classes) before it."""
        logits = np.log(np.maximum(before.astype(np.float64), _SMALLEST))
        logits[:, 1] -= self.shift
        logits /= self.temperature
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float32)

    def write_into(self, model: Any) -> None:
        """Change the last layer of a Keras model, a dense layer with bias and softmax."""
        layer = model.get_layer(LAST_LAYER)
        kernel, bias = layer.get_weights()
        bias = bias.astype(np.float64)
        bias[1] -= self.shift
        layer.set_weights([kernel / self.temperature, bias / self.temperature])
