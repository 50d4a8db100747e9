"""Ends of loops that hair covers: those whose way to the ear ends on something that is not skin.

A loop goes behind an ear. Where hair hides that ear it hides the loop's end as well: an end that lies on
hair, or on the background of a turned head, looks as if it hung in the air. A loop that crosses hair and
reaches skin behind it, such as whiskers before an ear, stays in view.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.face.light import Light
from maskgen.masking.face.skin_weights import BLUE_SPREAD, RED_SPREAD
from maskgen.masking.layer.components import disc
from maskgen.records import Image, Layer

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

_STRANGE = 0.7  # squared distance from the skin's light and colour beyond which a place is not skin
_EAR = 0.25  # the last share of a loop, which lies on the ear
_ROOM = 1.5  # pixels around a loop that are hidden with it
_SHIFT = 4  # fractional bits of OpenCV's coordinates


def covered_ends(light: Light, layer: Layer) -> Image | None:
    """(height, width) uint8 of the layer's size: 255 over ends of loops under hair; None without any."""
    if not layer.loops:
        return None
    ends = np.cumsum([len(path) for path, _ in layer.loops])
    strange = _strangeness(light, np.concatenate([path for path, _ in layer.loops])) > _STRANGE
    matte = None
    for (path, radius), seen in zip(layer.loops, np.split(strange, ends[:-1]), strict=True):
        count = _shown(seen)
        if count < len(path):
            if matte is None:
                matte = np.zeros_like(layer.alpha)
            hidden = np.rint((path[max(count - 1, 0) :] - layer.origin) * (1 << _SHIFT)).astype(np.int32)
            width = round(2 * (radius + _ROOM))
            cv2.polylines(matte, [hidden[:, None]], False, [255], width, cv2.LINE_AA, _SHIFT)
    if matte is not None:
        # The loops alone: what is wider than they are is the mask.
        widest = max(radius for _, radius in layer.loops)
        mask = cv2.morphologyEx(layer.alpha, cv2.MORPH_OPEN, disc(widest + _ROOM))
        matte = np.asarray(cv2.min(matte, cv2.bitwise_not(mask)), np.uint8)
    return matte


def _shown(strange: Flags) -> int:
    """How many points of a loop are in view: all, or those before the strange ones at its end."""
    ear = max(2, round(_EAR * len(strange)))
    if np.count_nonzero(strange[-ear:]) <= ear // 2:
        return len(strange)
    skin = np.flatnonzero(~strange)
    return int(skin[-1]) + 1 if len(skin) else 0


def _strangeness(light: Light, path: Floats) -> Floats:
    """(n,) float32: squared distance of the image's colour at (n, 2) points from that of skin there."""
    places = light.part.points(path)[:, None]
    none: Any = None  # OpenCV's stubs lack it
    samples = (light.part.bgr, light.log_bgr)
    image, skin = (
        cv2.remap(each, places, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
        for each in samples
    )
    off = np.log1p(image.astype(np.float64)) - skin
    red = (off[:, 2] - off[:, 1]) / RED_SPREAD
    blue = (off[:, 0] - (off[:, 1] + off[:, 2]) / 2) / BLUE_SPREAD
    return np.asarray(off.mean(axis=1) ** 2 + red**2 + blue**2, np.float32)
