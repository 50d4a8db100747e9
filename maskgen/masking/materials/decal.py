"""A transparent canvas for what lies at one place of a mask, drawn in centimetres about its middle."""

from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.hash_random import draw_units
from maskgen.records import Image

Color = tuple[int, int, int]

# As of a `Cloth`: pixels a centimetre, at least twice the mark's own.
_CANVAS_PER_CM = 20.0
# A mark has at most so many pixels a centimetre.
_MOST_PER_CM = 60.0
_SHIFT = 4


@dataclass(frozen=True)
class Mark:
    """A sign on a mask, in neutral light."""

    bgra: Image  # (height, width, 4), straight alpha
    size_cm: tuple[float, float]  # (width, height)
    # Where its middle usually lies: to the right of and below the middle of the mask's front.
    center_cm: tuple[float, float]


@dataclass(frozen=True)
class MarkSpec:
    """What a mark is drawn with: its seed, its resolution, and three inks that show on the cloth."""

    seed: int
    pixels_per_cm: float
    ink: Color
    second: Color
    accent: Color
    on_dark: bool

    def units(self, count: int, *names: str) -> list[float]:
        """Up to eight numbers in [0, 1)."""
        return draw_units(count, self.seed, "mark", *names)


class Decal:
    """The canvas of a mark.

    Convention: x to the right and y down, in centimetres from the canvas' middle.
    """

    def __init__(self, size_cm: tuple[float, float], pixels_per_cm: float) -> None:
        self.size_cm = size_cm
        pixels_per_cm = min(pixels_per_cm, _MOST_PER_CM)
        self._factor = max(2, ceil(_CANVAS_PER_CM / pixels_per_cm))
        width, height = (max(2, round(side * pixels_per_cm)) * self._factor for side in size_cm)
        self.bgr = np.zeros((height, width, 3), np.uint8)
        self.alpha = np.zeros((height, width), np.uint8)
        self.scale = width / size_cm[0]

    def _pixels(self, points: NDArray[np.float64]) -> NDArray[np.int32]:
        middle = np.array(self.alpha.shape[::-1], np.float64) / 2 - 0.5
        pixels: NDArray[np.int32] = np.rint((points * self.scale + middle) * (1 << _SHIFT)).astype(np.int32)
        return pixels

    def fill(self, polygon: NDArray[np.float64], color: Color | None) -> None:
        """Fill a (points, 2) polygon with a colour, or cut it out with `None`."""
        pixels = self._pixels(polygon)
        cv2.fillPoly(self.alpha, [pixels], (0 if color is None else 255,), cv2.LINE_8, _SHIFT)
        if color is not None:
            cv2.fillPoly(self.bgr, [pixels], color, cv2.LINE_8, _SHIFT)

    def line(self, points: NDArray[np.float64], width_cm: float, color: Color) -> None:
        """Draw a (points, 2) polyline with round ends."""
        thickness = max(1, round(width_cm * self.scale))
        for canvas, ink in ((self.bgr, color), (self.alpha, (255, 255, 255))):
            cv2.polylines(canvas, [self._pixels(points)], False, ink, thickness, cv2.LINE_8, _SHIFT)

    def text(
        self, words: str, font: int, height_cm: float, color: Color, y_cm: float = 0.0, bold: float = 0.14
    ) -> None:
        """Write one line, centred, its capitals ``height_cm`` high, its strokes ``bold`` times that wide."""
        pixels = max(2, round(height_cm * self.scale))
        thickness = max(1, round(bold * pixels))
        size = cv2.getFontScaleFromHeight(font, pixels, thickness)
        (width, height), _ = cv2.getTextSize(words, font, size, thickness)
        if width > 0.96 * self.alpha.shape[1]:
            size *= 0.96 * self.alpha.shape[1] / width
            (width, height), _ = cv2.getTextSize(words, font, size, thickness)
        place = (
            (self.alpha.shape[1] - width) // 2,
            round((self.alpha.shape[0] + height) / 2 + y_cm * self.scale),
        )
        cv2.putText(self.bgr, words, place, font, size, color, thickness)
        cv2.putText(self.alpha, words, place, font, size, (255,), thickness)

    def finish(self, center_cm: tuple[float, float], opacity: float = 1.0) -> Mark:
        """The mark: the canvas reduced to the mark's resolution."""
        height, width = (side // self._factor for side in self.alpha.shape)
        size = (width, height)
        covered = cv2.resize(self.alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        # Colours count only where there is one.
        inked = cv2.bitwise_and(self.bgr, self.bgr, mask=self.alpha)
        bgr = cv2.resize(inked, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        bgr *= 255 / np.maximum(covered, 1)[:, :, None]
        bgra = np.dstack([np.minimum(bgr, 255), covered * np.float32(opacity)])
        return Mark(np.rint(bgra).astype(np.uint8), self.size_cm, center_cm)
