"""The lower rims of spectacles, which rest on a mask's upper edge.

Unrolled around an eye, a rim is one smooth dark line all along, lighter on both sides: the lens or what is
seen through it, and the cheek. Lids and lashes end nearer to the eye; bags under the eyes and wrinkles are
fainter, or several. Spectacles count only if such a line goes around both eyes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.around_eyes import COLUMNS, ROWS, AroundEyes, around_eyes
from maskgen.records import Image, Landmarks, Layer

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

# In pixels: a smaller face shows no rims. In degrees: in one turned farther the far rim is too foreshortened.
_SMALLEST, _PROFILE = 32.0, 30.0

_BAND = np.ones((9, 1), np.uint8)  # a line is narrower
_BORDER = 4  # half of it: nearer to the border a line has but one side
_JUDGED = slice(7, 42)  # the columns in which nearly all spectacles show a rim
_CLIPPED = 60.0  # a darker line counts no more
_BEND, _STEEPEST = 2.0, 2  # the price of each step nearer or farther, and how many there are at most a column

# Chosen by eye over 597 photographs, then checked over 4302 others. In ninetieths of a natural logarithm:
_SURE = 10.0  # how dark the fainter line and a quarter of the other are together at least
_SECOND = 0.6  # how much of the next darkest line's darkness counts against each
_TINTED = 27.0  # what is seen through lenses that much darker than the cheeks hides the cloth

# How dark a pixel is, as a share of its rim, to be none of it and all of it.
_CLEAR, _SOLID = 0.4, 0.8
_HALF = 5  # no rim reaches farther from its middle
_BROKEN = 0.3  # a rim of less than that share of its usual darkness is lost from view
_LONG = 24  # columns that it goes on for at least
_CLOTH = 128  # least alpha that counts as the layer


@dataclass(frozen=True, eq=False)
class Spectacles:
    """What is seen of spectacles below the eyes.

    Attributes:
        around: Where the surroundings of the eyes lie.
        mattes: Unrolled for each eye: 255 where its rim is, and its lens if that is dark.
        dark: Whether the lenses hide what is behind them.
    """

    around: AroundEyes
    mattes: tuple[Image, Image]
    dark: bool

    def before(self, layer: Layer) -> Image:
        """(height, width) uint8 of the layer's size: 255 where they lie before it."""
        matte = self.around.roll_back(self.mattes, layer, filled=self.dark)
        # A rim comes in over the cloth's edge; a piece that floats on the cloth is none, or tells nobody so.
        _, top, _, height = cv2.boundingRect(matte)
        part, alpha = matte[: top + height], layer.alpha[: top + height]
        if part.size == 0:
            return matte
        _, pieces = cv2.connectedComponents((part > 0).astype(np.uint8))
        joined = np.zeros(int(pieces.max()) + 1, np.bool_)
        joined[pieces[alpha < _CLOTH]] = joined[pieces[0]] = True
        part[~joined[pieces] | (alpha == 0)] = 0
        return matte


def find_spectacles(image: Image, landmarks: Landmarks) -> Spectacles | None:
    """Look for the lower rims of spectacles.

    Args:
        image: (height, width, 3) uint8 BGR, without a mask.
        landmarks: The face.

    Returns:
        What is seen of them, or None if none are seen around both eyes.
    """
    if landmarks.eye_distance < _SMALLEST or abs(landmarks.pose["yaw"]) > _PROFILE:
        return None
    around = around_eyes(landmarks)
    light = around.unroll(image, landmarks.eye_distance)
    smooth = np.asarray(cv2.blur(light, (3, 1)), np.uint8)
    line = cv2.subtract(cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, _BAND), smooth)[_BORDER:-_BORDER]
    # No line is darker than the darkest pixels of all columns. Nearly all bare faces are told by this.
    darkest = np.asarray(cv2.reduce(line, 0, cv2.REDUCE_MAX), np.float32)
    if not _sure(_darkness(darkest.reshape(2, -1))):
        return None
    lines = np.ascontiguousarray(line.reshape(-1, 2, COLUMNS).transpose(1, 0, 2), np.float32)
    paths = _darkest(lines)
    first = _along(lines, paths)
    if not _sure(_darkness(first)):
        return None
    others = lines.copy()
    others[np.abs(np.arange(lines.shape[1])[:, None] - paths[:, None]) <= _BORDER] = 0
    second = np.minimum(_along(others, _darkest(others))[:, _JUDGED], _CLIPPED)
    if not _sure(_darkness(first) - _SECOND * second.mean(axis=1)):
        return None
    dark = _tint(light.reshape(ROWS, 2, COLUMNS).transpose(1, 0, 2), paths + _BORDER) > _TINTED
    left, right = (_matte(*of_one, dark=dark) for of_one in zip(lines, paths, first, strict=True))
    return Spectacles(around, (left, right), dark)


def _darkness(along: Floats) -> Floats:
    """(2,): how dark most of each line is, the mean of its median and of what four fifths of it exceed."""
    ordered = np.sort(along[:, _JUDGED], axis=1)
    count = ordered.shape[1]
    return np.asarray((ordered[:, count // 5] + ordered[:, count // 2]) / 2, np.float32)


def _sure(darkness: Floats) -> bool:
    """Whether lines so dark are rims."""
    left, right = darkness.tolist()
    return bool(min(left, right) >= _SURE / 2 and min(left, right) + max(left, right) / 4 >= _SURE)


def _along(lines: Floats, paths: Places) -> Floats:
    """(2, COLUMNS): the darkness on the paths."""
    return np.asarray(np.take_along_axis(lines, paths[:, None], axis=1)[:, 0], np.float32)


def _darkest(lines: Floats) -> Places:
    """(2, COLUMNS): the row in each column of the smooth path that is the darkest along its length."""
    counted = np.minimum(lines, _CLIPPED)
    eyes, rows, columns = counted.shape
    price = _BEND * np.abs(np.arange(-_STEEPEST, _STEEPEST + 1, dtype=np.float32))
    padded = np.full((eyes, rows + 2 * _STEEPEST), -np.inf, np.float32)
    sums = padded[:, _STEEPEST:-_STEEPEST]
    sums[:] = counted[:, :, 0]
    reached = np.lib.stride_tricks.sliding_window_view(padded, 2 * _STEEPEST + 1, axis=1)
    came = np.zeros((columns, eyes, rows), np.intp)
    for column in range(1, columns):
        before = reached - price
        came[column] = before.argmax(axis=2)
        sums[:] = before.max(axis=2) + counted[:, :, column]
    paths = np.empty((eyes, columns), np.intp)
    paths[:, -1] = sums.argmax(axis=1)
    for column in range(columns - 1, 0, -1):
        at = paths[:, column]
        paths[:, column - 1] = at + came[column, np.arange(eyes), at] - _STEEPEST
    return paths


def _tint(light: Image, paths: Places) -> float:
    """How much darker what is seen through the lenses is than the cheeks under them."""
    under = np.minimum(paths + _HALF, ROWS - 1)
    darker = np.take_along_axis(light, under[:, None], axis=1).astype(np.float32) - light
    inside = (np.arange(ROWS)[:, None] < paths[:, None] - _HALF)[:, :, _JUDGED]
    return float(np.median(darker[:, :, _JUDGED][inside])) if np.count_nonzero(inside) > 2 * _LONG else 0.0


def _matte(line: Floats, path: Places, along: Floats, *, dark: bool) -> Image:
    """Where one eye's rim is, and its lens if that is dark, unrolled."""
    usual = float(np.median(along[_JUDGED]))
    lost = np.flatnonzero(_smoothed(along) < _BROKEN * usual)
    first = int(max(lost[lost < COLUMNS // 2], default=-1)) + 1
    last = int(min(lost[lost >= COLUMNS // 2], default=COLUMNS))
    if last - first < _LONG:
        return np.zeros((ROWS, COLUMNS), np.uint8)
    middle = _smoothed(path.astype(np.float32)) + np.float32(_BORDER)
    rows, columns = np.arange(ROWS, dtype=np.float32)[:, None], np.arange(COLUMNS, dtype=np.float32)
    # Straightened, the rim is smoothed along its length.
    beside = np.arange(-_HALF, _HALF + 1, dtype=np.float32)[:, None]
    bare = cv2.copyMakeBorder(line, _BORDER, _BORDER, 0, 0, cv2.BORDER_CONSTANT, value=[0])
    straight = cv2.remap(bare, np.tile(columns, (len(beside), 1)), middle + beside, cv2.INTER_LINEAR)
    straight = np.asarray(cv2.blur(straight, (7, 1)), np.float32)
    share = straight / np.maximum(straight.max(axis=0), np.float32(usual / 2))
    solid = np.clip((share - _CLEAR) / (_SOLID - _CLEAR), 0, 1).astype(np.float32)
    matte = cv2.remap(solid, np.tile(columns, (ROWS, 1)), rows - middle + _HALF, cv2.INTER_LINEAR)
    if dark:
        matte[rows <= middle] = 1
    matte[:, :first] = matte[:, last:] = 0
    return np.asarray(np.round(matte * 255), np.uint8)


def _smoothed(values: Floats) -> Floats:
    """A row of values, each the mean of seven."""
    blurred = cv2.blur(values[None], (7, 1), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred.ravel(), np.float32)
