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

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.eye_unwrap import EyeUnwrap, around_eyes
from maskgen.masking.face.rim_path import BORDER, COLUMNS, ROWS, find_lines
from maskgen.records import Image, Layer

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

# In pixels: a smaller face shows no rims. In degrees: in one turned farther the far rim is too foreshortened.
_SMALLEST, _PROFILE = 32.0, 30.0

_JUDGED = slice(7, 42)  # the columns in which nearly all spectacles show a rim
# In ninetieths of a natural logarithm, chosen by eye over 597 photographs, then checked over 4302 others:
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

    around: EyeUnwrap
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
    sure, lines, paths = find_lines(light)
    if not sure:
        return None
    dark = (
        _tint(light.astype(np.float32).reshape(ROWS, 2, COLUMNS).transpose(1, 0, 2), paths + BORDER) > _TINTED
    )
    left, right = (_matte(*of_one, dark=dark) for of_one in zip(lines, paths, strict=True))
    return Spectacles(around, (left, right), dark)


def _tint(light: Floats, paths: Places) -> float:
    """How much darker what is seen through the lenses is than the cheeks under them."""
    under = np.minimum(paths + _HALF, ROWS - 1)
    darker = np.take_along_axis(light, under[:, None], axis=1) - light
    inside = (np.arange(ROWS)[:, None] < paths[:, None] - _HALF)[:, :, _JUDGED]
    return float(np.median(darker[:, :, _JUDGED][inside])) if np.count_nonzero(inside) > 2 * _LONG else 0.0


def _matte(line: Floats, path: Places, *, dark: bool) -> Image:
    """Where one eye's rim is, and its lens if that is dark, unrolled."""
    along = line[path, np.arange(COLUMNS)]
    usual = float(np.median(along[_JUDGED]))
    lost = np.flatnonzero(_smoothed(along) < _BROKEN * usual)
    first = int(max(lost[lost < COLUMNS // 2], default=-1)) + 1
    last = int(min(lost[lost >= COLUMNS // 2], default=COLUMNS))
    if last - first < _LONG:
        return np.zeros((ROWS, COLUMNS), np.uint8)
    middle = _smoothed(path.astype(np.float32)) + np.float32(BORDER)
    rows, columns = np.arange(ROWS, dtype=np.float32)[:, None], np.arange(COLUMNS, dtype=np.float32)
    # Straightened, the rim is smoothed along its length.
    beside = np.arange(-_HALF, _HALF + 1, dtype=np.float32)[:, None]
    bare = cv2.copyMakeBorder(line, BORDER, BORDER, 0, 0, cv2.BORDER_CONSTANT, value=[0])
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
