"""Occlusion matte: eyeglasses, hair over a cheek and objects in front of the mouth, which hide the mask.

The matte is cautious: a hole in the mask over a beard, a shadow or a dark side of the face is much worse than
a lock of hair that the mask covers. A component counts only if its colour is not that of skin, lips, beard or
shadow, or if it is much darker than a well lit cheek. It must also cross the face's outline, reach well into
the face and end there at a sharp edge. Hands have the colour of the face and are not detected. Faces turned
far are skipped: the outline of their mesh is not exact enough.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.skin_reference import CHEEKS
from maskgen.masking.face.skin_view import SkinView
from maskgen.masking.layer.components import (
    OccluderKind,
    disc,
    grown,
    occluding_components,
)
from maskgen.masking.layer.loop_ends import covered_ends
from maskgen.masking.layer.objects import objects_before
from maskgen.records import Image, Layer

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]
Line = tuple[float, float, float]

_SMALLEST = 24.0  # least eye distance in pixels at which hair is searched
_CLOTH = 8  # least alpha that counts as the layer

# Where every beard grows: above the lip, and below it on the chin.
_ABOVE_LIP = (98, 97, 2, 326, 327, 391, 269, 0, 39, 165)
_BELOW_LIP = (43, 18, 273, 262, 396, 175, 171, 32)

# All numbers from here on were chosen by eye over 597 photographs, then checked over 1335 others.
# In logarithms of light and of colour ratios:
_BEARD_SHADE = 0.34  # chin or upper lip this much darker than the skin: a beard, or a face in shadow
_SIDE_SHADE = 0.28  # a cheek this much darker than the other is in shadow
_GREY = 0.08  # skin with less colour: a grey photograph, in which hair and shadow look alike

# Least area of a face that is not like its skin, in square eye distances, for the full analysis. Half of all
# faces have less.
_SUSPICIOUS = 0.04

# In eye distances:
_MIDDLE = 0.3  # half the width of the band along the midline in which hair is ignored
_RAGGED = 0.04  # width of the gaps and spurs that are smoothed away

_PROFILE = 22.0  # degrees of yaw beyond which the mesh's outline is not exact enough
_TURNED = 12.0  # degrees of yaw beyond which hair on the far side may be background


# Evidence of hair: darkness relative to the skin; a larger or deeper component is more likely a shadow.
_HAIR = OccluderKind(least=0.7, contrast=0.65, edge=0.47, solidity=0.0, reach=(0.08, 0.28), area=(0.012, 0.1))


def occluders(context: FaceContext, layer: Layer) -> Image:
    """(height, width) uint8 of the layer's size: 255 where something in the image lies in front of it."""
    matte = _hair_and_objects(context, layer)
    if (ends := covered_ends(context.light, layer)) is not None:
        matte = np.maximum(matte, ends)
    eyeglasses = context.eyeglasses
    return matte if eyeglasses is None else np.maximum(matte, eyeglasses.matte_over(layer))


def _hair_and_objects(context: FaceContext, layer: Layer) -> Image:
    """(height, width) uint8: the matte of hair and of objects in front of the mouth."""
    none = np.zeros_like(layer.alpha)
    small = context.landmarks.eye_distance < _SMALLEST
    if small or abs(context.landmarks.pose["yaw"]) > _PROFILE or context.light.strange < _SUSPICIOUS:
        return none
    view = context.skin
    if view is None:
        return none
    cloth = view.from_image(layer.alpha, layer.origin) > _CLOTH
    in_front = _in_front(view, cloth, context.landmarks.pose["yaw"])
    if in_front is None:
        return none
    in_front = _without_scraps(_smoothed(in_front, _RAGGED * view.eye), cloth)
    soft = cv2.GaussianBlur(in_front.astype(np.float32), (0, 0), 0.8)
    height, width = layer.alpha.shape
    matte = view.part.upsample(np.asarray(soft, np.float32), (*layer.origin, width, height))
    return np.where(layer.alpha > 0, np.round(matte * 255), 0).astype(np.uint8)


def _in_front(view: SkinView, cloth: Flags, yaw: float) -> Flags | None:
    """Which pixels of the view lie in front of the cloth; None if none does."""
    covered, few = view.face & cloth, view.eye**2
    bearded = view.shade(_ABOVE_LIP) < -_BEARD_SHADE
    # An object may hide the chin.
    objects = objects_before(view, covered, bearded=bearded)
    hair: list[Flags] = []
    dark = np.count_nonzero(covered & (view.light < -_HAIR.least))
    if view.chroma >= _GREY and dark >= _HAIR.area[0] * few:
        bearded = bearded or view.shade(_BELOW_LIP) < -_BEARD_SHADE
        hair = [] if bearded else _hair(view, covered, yaw)
    return np.logical_or.reduce([*objects, *hair]) if objects or hair else None


def _hair(view: SkinView, covered: Flags, yaw: float) -> list[Flags]:
    """Locks of hair that fall over a lit cheek."""
    right, below = _face_lines(view)
    places: Any = np.indices(view.light.shape, np.float32, sparse=True)
    rows, columns = places
    away = np.abs(right[2] + right[0] * columns + right[1] * rows)
    darkness = np.where(away > _MIDDLE * view.eye, -view.light, np.float32(0))
    locks = occluding_components(darkness, covered, view.face, view.depth, view.eye, _HAIR)
    left_cheek, right_cheek = (view.shade(outline) for outline in CHEEKS)
    hair = []
    for component in locks:
        side = float(np.sign(np.median(_distances(right, component))))
        in_shadow = side * (right_cheek - left_cheek) < -_SIDE_SHADE
        falls_from_above = _distances(below, component).min() < 0
        if falls_from_above and not in_shadow and side * yaw <= _TURNED:
            hair.append(component)
    return hair


def _face_lines(view: SkinView) -> tuple[Line, Line]:
    """Distances to the right of the face's midline and below the mouth, in pixels.

    Each is a `Line`: the increase per column and per row, and the value in the first pixel.
    """
    bridge, mouth, chin = (view.points[index].tolist() for index in (6, 13, 152))
    length = max(math.dist(chin, bridge), 1.0)
    x, y = (chin[0] - bridge[0]) / length, (chin[1] - bridge[1]) / length
    return (y, -x, x * bridge[1] - y * bridge[0]), (x, y, -x * mouth[0] - y * mouth[1])


def _distances(line: Line, component: Flags) -> Floats:
    """(n,) float32: the distance of each pixel of a component."""
    rows, columns = np.nonzero(component)
    return np.asarray(line[0] * columns + line[1] * rows + line[2], np.float32)


def _smoothed(area: Flags, radius: float) -> Flags:
    """The area after morphological closing and opening with a disc."""
    closed = cv2.morphologyEx(area.view(np.uint8), cv2.MORPH_CLOSE, disc(radius))
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(radius)).view(np.bool_)


def _without_scraps(in_front: Flags, cloth: Flags) -> Flags:
    """Also hide the scraps of cloth that would remain beyond an occluder, such as the end of an ear loop."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (cloth & ~in_front).view(np.uint8), connectivity=8
    )
    if count < 3:
        return in_front
    main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    touching = np.unique(labels[grown(in_front, 1.0) & cloth & ~in_front])
    return in_front | np.isin(labels, touching[(touching != main) & (touching != 0)])
