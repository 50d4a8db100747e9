"""What lies in front of the lower face: spectacles, locks of hair over a cheek, things before the mouth.

A mask goes behind them. The matte is a cautious one: a hole in the mask over a beard, a shadow or a side of
the face in the dark is much worse than a lock of hair that the mask covers. So something counts only if it
is of no colour that skin, lips, beard or shadow take, or much darker than a well lit cheek; if it comes in
over the face's outline, reaches well into the face and ends there at a sharp edge. Hands have the colour of
the face, and are left alone; so are faces turned far, whose outline in the mesh is not exact enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks
from maskgen.masking.face.context import FaceContext
from maskgen.masking.face.skin_reference import CHEEKS
from maskgen.masking.face.skin_view import SkinView
from maskgen.masking.layer.components import (
    Line,
    OccluderKind,
    darkness,
    disc,
    grown,
    occluding_components,
    strangeness,
)
from maskgen.records import Image, Layer

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

# A face with fewer tells nothing of hair.
_SMALLEST = 24.0
_CLOTH = 8  # least alpha that counts as the layer

# Where a beard grows in any case: over the lip, under it, and on the chin.
_BEARD = ((98, 97, 2, 326, 327, 391, 269, 0, 39, 165), (43, 18, 273, 262, 396, 175, 171, 32))
_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)

# All numbers from here on were chosen by eye over 597 photographs, then checked over 1335 others.
# In logarithms of light and of colour ratios:
_BEARD_SHADE = 0.34  # chin or upper lip this much darker than the skin: a beard, or a face in shadow
_SIDE_SHADE = 0.28  # a cheek this much darker than the other: in shadow
_STRAYING = 0.5  # share of the skin's distance from grey that a thing differs from it at least
_GREY = 0.08  # skin of less colour: a grey photograph, where hair and shadow cannot be told apart

# The least area of a face that is not like its skin, in square eye distances, for a closer look. Half of all
# faces have less.
_SUSPICIOUS = 0.03

# In eye distances:
_MIDDLE = 0.3  # so far to both sides of the middle hair is not looked for
_FOLLOWED = 0.15  # how far a piece is followed outside the face
_RAGGED = 0.04  # gaps and spurs of that width are smoothed away

_PROFILE = 22.0  # degrees of yaw beyond which the mesh's outline is not exact enough
_TURNED = 12.0  # degrees of yaw beyond which the far side's hair is as likely background


# Evidence of hair is how much darker than the skin it is; a greater or deeper piece is more likely shadow.
_HAIR = OccluderKind(least=0.7, contrast=0.65, edge=0.47, solidity=0.0, reach=(0.08, 0.28), area=(0.012, 0.1))
# Evidence of a thing is how far off the line from the skin's colour to grey, or beyond grey, its colour lies.
_THING = OccluderKind(
    least=0.28, contrast=0.22, edge=0.15, solidity=0.65, reach=(0.12, 0.6), area=(0.03, 0.2)
)


def occluders(look: FaceContext, layer: Layer) -> Image:
    """Tell what lies in front of a layer.

    Args:
        look: The face it was fitted to, in the image without the layer.
        layer: The fitted template.

    Returns:
        (height, width) uint8 of the layer's size: 255 where the layer must be behind what the image shows.
    """
    matte = _hair_and_things(look, layer)
    return matte if look.spectacles is None else np.maximum(matte, look.spectacles.before(layer))


def _hair_and_things(look: FaceContext, layer: Layer) -> Image:
    """The same of hair and of things held before the mouth."""
    none = np.zeros_like(layer.alpha)
    small = look.landmarks.eye_distance < _SMALLEST
    if small or abs(look.landmarks.pose["yaw"]) > _PROFILE or look.light.strange < _SUSPICIOUS:
        return none
    view = look.skin
    if view is None:
        return none
    found = _in_front(view, layer, look.landmarks)
    if not found.any():
        return none
    cloth = view.from_image(layer.alpha, layer.origin) > _CLOTH
    found = _without_scraps(_smoothed(found, _RAGGED * view.eye), cloth)
    soft = cv2.GaussianBlur(found.astype(np.float32), (0, 0), 0.8)
    height, width = layer.alpha.shape
    matte = view.part.back(np.asarray(soft, np.float32), (*layer.origin, width, height))
    return np.where(layer.alpha > 0, np.round(matte * 255), 0).astype(np.uint8)


def _in_front(view: SkinView, layer: Layer, landmarks: Landmarks) -> Flags:
    """Which pixels of the view lie in front of the layer's cloth."""
    found = np.zeros(view.face.shape, np.bool_)
    seen = view.face & (view.from_image(layer.alpha, layer.origin) > _CLOTH)
    yaw, few = landmarks.pose["yaw"], view.eye**2
    things: list[Flags] = []
    strange = strangeness(view.beyond, view.across, view.unclear)
    if np.count_nonzero(seen & (strange > _THING.least)) >= _THING.area[0] * few:
        strange[view.inside(_LIPS)] = 0
        # The more coloured the light or the skin, the further shadows and reflections stray from the line.
        thing = replace(_THING, contrast=max(_THING.contrast, _STRAYING * view.chroma))
        things = list(_entering(view, strange, thing, seen))
    locks: list[Flags] = []
    if view.chroma >= _GREY:
        right, _ = _face_lines(view)
        darker = darkness(view.light, right, _MIDDLE * view.eye)
        if np.count_nonzero(seen & (darker > _HAIR.least)) >= _HAIR.area[0] * few:
            locks = list(_entering(view, darker, _HAIR, seen))
    if not things and not locks:
        return found
    for piece in things:
        found |= piece
    if min(view.shade(outline) for outline in _BEARD) < -_BEARD_SHADE:
        return found
    left_cheek, right_cheek = (view.shade(outline) for outline in CHEEKS)
    right, below = _face_lines(view)
    for piece in locks:
        side = float(np.sign(np.median(_distances(right, piece))))
        in_shadow = side * (right_cheek - left_cheek) < -_SIDE_SHADE
        falls_from_above = _distances(below, piece).min() < 0
        if falls_from_above and not in_shadow and side * yaw <= _TURNED:
            found |= piece
    return found


def _face_lines(view: SkinView) -> tuple[Line, Line]:
    """The distance to the right of the face's midline, and that below the mouth, in pixels.

    Each is given as what it grows by with each column and each row, and what it is in the first pixel.
    """
    bridge, mouth, chin = (view.points[index].tolist() for index in (6, 13, 152))
    length = max(math.dist(chin, bridge), 1.0)
    x, y = (chin[0] - bridge[0]) / length, (chin[1] - bridge[1]) / length
    return (y, -x, x * bridge[1] - y * bridge[0]), (x, y, -x * mouth[0] - y * mouth[1])


def _distances(line: Line, piece: Flags) -> Floats:
    """Of the piece's pixels, in no order."""
    rows, columns = np.nonzero(piece)
    return np.asarray(line[0] * columns + line[1] * rows + line[2], np.float32)


def _entering(view: SkinView, evidence: Floats, kind: OccluderKind, seen: Flags) -> Iterator[Flags]:
    """The occluding components of the evidence, each followed a little outside the face."""
    for piece in occluding_components(evidence, seen, view.face, view.depth, view.eye, kind):
        yield piece | (grown(piece, _FOLLOWED * view.eye) & (evidence > kind.least) & ~view.face)


def _smoothed(area: Flags, radius: float) -> Flags:
    """The area without gaps and spurs narrower than about ``radius``."""
    closed = cv2.morphologyEx(area.astype(np.uint8), cv2.MORPH_CLOSE, disc(radius))
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(radius)) > 0


def _without_scraps(found: Flags, cloth: Flags) -> Flags:
    """Hide also what would stay of the cloth beyond what lies in front, such as the end of an ear loop."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (cloth & ~found).astype(np.uint8), connectivity=8
    )
    if count < 3:
        return found
    main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    touching = np.unique(labels[grown(found, 1.0) & cloth & ~found])
    return found | np.isin(labels, touching[(touching != main) & (touching != 0)])
