"""Detection of the lower rims of eyeglasses, which rest on a mask's upper edge.

Unwrapped around an eye, a rim is one smooth dark line with lighter lens above and lighter cheek below. Lids
and lashes end nearer to the eye; bags under the eyes and wrinkles are fainter, or there are several.
Eyeglasses count only if such a line goes around both eyes.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.eye_unwrap import COLUMNS, ROWS, EyeUnwrap, around_eyes
from maskgen.masking.face.rim_path import BORDER, find_lines
from maskgen.records import Image, Layer

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

# Least eye distance in pixels, and largest yaw in degrees: beyond it the far rim is too foreshortened.
_SMALLEST, _PROFILE = 32.0, 30.0

_JUDGED = slice(7, 42)  # the columns in which nearly all eyeglasses show a rim
# In ninetieths of a natural logarithm, chosen by eye over 597 photographs, then checked over 4302 others:
_TINTED = 27.0  # lenses that much darker than the cheeks hide the cloth

# Darkness of a pixel, as a share of its rim's: at _CLEAR it is transparent, at _SOLID it is opaque.
_CLEAR, _SOLID = 0.4, 0.8
_HALF = 5  # largest half width of a rim, in rows
_BROKEN = 0.3  # a rim ends where its darkness falls below this share of its median
_LONG = 24  # least length of a rim, in columns
_CLOTH = 128  # least alpha that counts as the layer


@dataclass(frozen=True, eq=False)
class Eyeglasses:
    """The lower rims of eyeglasses, and the lenses if they are dark.

    Attributes:
        unwrap: The coordinate frames of the eyes.
        mattes: (ROWS, COLUMNS) uint8 for each eye: 255 on its rim, and on its lens if that is dark.
        dark: Whether the lenses hide the cloth behind them.
    """

    unwrap: EyeUnwrap
    mattes: tuple[Image, Image]
    dark: bool

    def matte_over(self, layer: Layer) -> Image:
        """(height, width) uint8 of the layer's size: 255 where the eyeglasses lie in front of it."""
        matte = self.unwrap.roll_back(self.mattes, layer, filled=self.dark)
        # A rim crosses the cloth's edge; a component that lies fully on the cloth is dropped.
        _, top, _, height = cv2.boundingRect(matte)
        part, alpha = matte[: top + height], layer.alpha[: top + height]
        if part.size == 0:
            return matte
        _, pieces = cv2.connectedComponents((part > 0).astype(np.uint8))
        joined = np.zeros(int(pieces.max()) + 1, np.bool_)
        joined[pieces[alpha < _CLOTH]] = joined[pieces[0]] = True
        part[~joined[pieces] | (alpha == 0)] = 0
        return matte


def find_eyeglasses(image: Image, landmarks: Landmarks) -> Eyeglasses | None:
    """Detect the lower rims of eyeglasses in an unmasked image; None if there is no rim around both eyes."""
    if landmarks.eye_distance < _SMALLEST or abs(landmarks.pose["yaw"]) > _PROFILE:
        return None
    unwrap = around_eyes(landmarks)
    light = unwrap.unroll(image, landmarks.eye_distance)
    are_rims, lines, paths = find_lines(light)
    if not are_rims:
        return None
    dark = (
        _tint(light.astype(np.float32).reshape(ROWS, 2, COLUMNS).transpose(1, 0, 2), paths + BORDER) > _TINTED
    )
    left, right = (_matte(*line_and_path, dark=dark) for line_and_path in zip(lines, paths, strict=True))
    return Eyeglasses(unwrap, (left, right), dark)


def _tint(light: Floats, paths: Places) -> float:
    """How much darker the lenses are than the cheeks under them, in ninetieths of a natural logarithm."""
    under = np.minimum(paths + _HALF, ROWS - 1)
    darker = np.take_along_axis(light, under[:, None], axis=1) - light
    inside = (np.arange(ROWS)[:, None] < paths[:, None] - _HALF)[:, :, _JUDGED]
    return float(np.median(darker[:, :, _JUDGED][inside])) if np.count_nonzero(inside) > 2 * _LONG else 0.0


def _matte(line: Floats, path: Places, *, dark: bool) -> Image:
    """(ROWS, COLUMNS) uint8: one eye's rim, and its lens if that is dark, unwrapped."""
    along = line[path, np.arange(COLUMNS)]
    usual = float(np.median(along[_JUDGED]))
    lost = np.flatnonzero(_smoothed(along) < _BROKEN * usual)
    first = int(max(lost[lost < COLUMNS // 2], default=-1)) + 1
    last = int(min(lost[lost >= COLUMNS // 2], default=COLUMNS))
    if last - first < _LONG:
        return np.zeros((ROWS, COLUMNS), np.uint8)
    middle = _smoothed(path.astype(np.float32)) + np.float32(BORDER)
    rows, columns = np.arange(ROWS, dtype=np.float32)[:, None], np.arange(COLUMNS, dtype=np.float32)
    # Straighten the rim, then smooth it along its length.
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
    """Moving average of seven values."""
    blurred = cv2.blur(values[None], (7, 1), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred.ravel(), np.float32)
