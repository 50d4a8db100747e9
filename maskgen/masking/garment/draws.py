"""Random numbers of one garment, in a fixed order, as hashes of its seed."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from maskgen.masking.hash_random import draw_array

Choice = TypeVar("Choice")

_AT_ONCE = 160  # numbers drawn together: enough for a garment


class Draws:
    """Numbers drawn one after the other; the same seed and purpose give the same numbers."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._seed, self._purpose, self._spreads = seed, purpose, 0
        # A uniformly distributed number in [0, 1).
        self.unit: Callable[[], float] = self._units().__next__

    def _units(self) -> Iterator[float]:
        for block in itertools.count():
            yield from draw_array(_AT_ONCE, self._seed, self._purpose, block).tolist()

    def between(self, low: float, high: float) -> float:
        """A uniformly distributed number from ``low`` to ``high``."""
        return low + (high - low) * self.unit()

    def spread(self, *shape: int) -> NDArray[np.float64]:
        """An array of numbers between -1 and 1."""
        self._spreads += 1
        units = draw_array(math.prod(shape), self._seed, self._purpose, "spread", self._spreads)
        return units.reshape(shape).astype(np.float64) * 2 - 1

    def near(self, mean: float, reach: float) -> float:
        """A number within ``reach`` of ``mean``, more often close to it (the sum of two draws)."""
        return mean + reach * (self.unit() + self.unit() - 1)

    def happens(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.unit() < share

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """One of the choices, all equally likely."""
        return choices[int(self.unit() * len(choices))]


def spline_weights(knots: int, places: int) -> NDArray[np.float64]:
    """(knots, places) weights of a cubic B-spline over evenly spaced places, for a smooth random course."""
    distance = np.abs(np.linspace(1, knots - 2, places) - np.arange(knots)[:, None])
    near, far = 2 / 3 - distance**2 + distance**3 / 2, np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far)
