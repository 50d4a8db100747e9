"""Random numbers of one garment, in a fixed order, as hashes of its seed."""

from collections.abc import Sequence
from typing import TypeVar

from maskgen.masking.hash_random import draw_units

Choice = TypeVar("Choice")


class Draws:
    """Numbers drawn one after the other; the same seed and purpose give the same numbers."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._seed, self._purpose = seed, purpose
        self._count, self._units = 0, [0.0]

    def unit(self) -> float:
        """A uniformly distributed number in [0, 1)."""
        place = self._count % 8
        if place == 0:
            self._units = draw_units(8, self._seed, self._purpose, self._count)
        self._count += 1
        return self._units[place]

    def between(self, low: float, high: float) -> float:
        """A uniformly distributed number from ``low`` to ``high``."""
        return low + (high - low) * self.unit()

    def near(self, mean: float, reach: float) -> float:
        """A number within ``reach`` of ``mean``, more often close to it (the sum of two draws)."""
        return mean + reach * (self.unit() + self.unit() - 1)

    def happens(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.unit() < share

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """One of the choices, all equally likely."""
        return choices[int(self.unit() * len(choices))]
