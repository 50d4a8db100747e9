"""Where a garment lies on the head: its hang and wear, as a map between its coordinates and the head's.

Wear slides the garment down; it keeps its size. Loops hold the corners back, so they slide less than the
middle. A mask below the lips is gathered: its height shrinks.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskgen.masking.hash_random import draw_unit
from maskgen.records import Plan

Array = NDArray[np.float64]

# The nose bridge and the chin of the mean face in v; `Hang` is in shares of this way.
_BRIDGE, _CHIN = 0.013, 1.169
_CENTRE = 0.7  # the garment turns and scales about the mouth, where it is held least
# Where the lower lids lie: v, and the greatest distance from the midline.
_LOWER_LID, _EYE_ACROSS = 0.12, 0.5
# Range of the lowest v at which the middle of the upper edge still covers the nose; the seed chooses.
_COVERING = (0.22, 0.29)
# Least v of the lower edge that covers the chin.
_UNDER_CHIN = 1.14
# Wear -> v of the middle of the upper edge, share of the slide that the corners make, and gathered height.
_SLIDES = {"nose-out": (0.45, 0.65, 0.88), "mouth-out": (0.83, 0.85, 0.75), "chin": (1.13, 0.90, 0.55)}


@dataclass(frozen=True)
class Placement:
    """The map from a garment to the head.

    Attributes:
        middle: Height of the garment's upper edge on the midline.
        half_width: Distance of its corners from the midline.
        corners_slide: Share of a slide that the corners make; None for what elastic loops allow.
        below_eyes: Least height of the upper edge below the eyes; a hang does not lift it over them.
        bottom: Height of the lower edge under the chin; a hang does not lift it off the chin.
    """

    plan: Plan
    middle: float
    half_width: float
    corners_slide: float | None = None
    below_eyes: float = math.inf
    bottom: float = math.inf

    def to_head(self, x: float, y: float) -> tuple[float, float]:
        """(u, v) on the head of a place (x, y) on the garment."""
        cosine, sine, lift, slide, held, gathered = self._map
        y = self.middle + (y - self.middle) * gathered + slide * (1 - held * self._beside(x)) - _CENTRE
        return x * cosine - y * sine, x * sine + y * cosine + _CENTRE - lift

    def to_garment(self, u: Array, v: Array) -> tuple[Array, Array]:
        """(x, y) on the garment of places (u, v) on the head; the reverse of `to_head`."""
        cosine, sine, lift, slide, held, gathered = self._map
        size = cosine * cosine + sine * sine
        v = v - (_CENTRE - lift)
        x, y = u * (cosine / size) + v * (sine / size), v * (cosine / size) - u * (sine / size) + _CENTRE
        if slide or gathered != 1:
            beside = np.minimum(np.abs(x) / self.half_width, 1) ** 2
            y = (y - slide * (1 - held * beside) - self.middle) / gathered + self.middle
        return x, y

    def _beside(self, x: float) -> float:
        return float(min(abs(x) / self.half_width, 1) ** 2)

    @cached_property
    def _map(self) -> tuple[float, float, float, float, float, float]:
        """Cosine, sine and lift of the turn; slide, the corners' lack of it as a share, gathered height."""
        if self.plan.wear == "correct":
            return *self._turn(), 0.0, 0.0, 1.0
        goal, held, gathered = _SLIDES[self.plan.wear]
        if self.corners_slide is not None:
            held = self.corners_slide
        return *self._turn(), goal - self.middle, 1 - held, gathered

    def _turn(self) -> tuple[float, float, float]:
        hang, angle = self.plan.hang, math.radians(self.plan.hang.tilt)
        lids = _LOWER_LID + abs(math.sin(angle)) * _EYE_ACROSS
        lift = min(hang.lift * (_CHIN - _BRIDGE), self._lift_to(self.below_eyes, lids))
        if self.plan.wear == "correct":
            lift = min(lift, self._lift_to(self.bottom, _UNDER_CHIN))
            lift = max(lift, self._lift_to(self.middle, self._lowest_edge()))
        return math.cos(angle) * hang.size, math.sin(angle) * hang.size, lift

    def _lift_to(self, y: float, v: float) -> float:
        """The lift that takes a height in the garment to a height on the head."""
        return (y - _CENTRE) * self.plan.hang.size + _CENTRE - v

    def _lowest_edge(self) -> float:
        low, high = _COVERING
        return low + (high - low) * draw_unit(self.plan.seed, "lowest edge")
