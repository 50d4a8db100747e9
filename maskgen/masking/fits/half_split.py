"""The half-split fit: one affine map for each half of the template.

Three anchors define each half: nose bridge and chin, which both halves share, and the cheek of its side.
Coordinates on the face are ``along``, 0 at the bridge and 1 at the chin, and ``across``, the distance from
the line through both. The maps agree on that line, so the seam is continuous. Both halves follow the head's
roll; in a turned face the far half narrows and the near half widens.

In a turned face the nose protrudes across that line, and a straight seam would leave it bare. The seam is
therefore bent: it runs from the bridge over the nose tip to the chin. In a face that looks up or down the
nose tip moves along that line, and the cloth with it. The cloth beside the seam is displaced, less and less
towards the cheek.
"""

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import Landmarks, canonical_face
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.fits.mesh import mesh
from maskgen.masking.fits.warp import warp_template
from maskgen.masking.garment.rasterize import window_around
from maskgen.masking.templates.pyramid import premultiplied_levels
from maskgen.records import Layer, MaskTemplate, Plan

Array = NDArray[np.float32]

# Least width of a half, as a share of the face's length. In a profile the far cheek lies on or beyond the
# midline and its half would collapse or flip. The value is about the visible width of the nose's flank.
_NARROWEST = 0.16
# Least width of the cloth beside the nose tip, as a share of the face's length.
_AROUND_NOSE = 0.10
_ANCHORS = ("nose_bridge", "chin", "left_cheek", "right_cheek", "nose_tip")


@dataclass(frozen=True)
class _Face:
    """The anchors in the face's coordinates: lengths in pixels, ``along`` as a share of ``length``."""

    bridge: NDArray[np.float64]
    down: NDArray[np.float64]
    right: NDArray[np.float64]
    length: float
    widths: tuple[float, float]
    cheeks_along: tuple[float, float]
    tip_along: float
    tip_across: float


def _face(landmarks: Landmarks) -> _Face:
    bridge, chin = (landmarks.anchor(name).astype(np.float64) for name in ("nose_bridge", "chin"))
    length = max(float(np.linalg.norm(chin - bridge)), 1e-3)
    down = (chin - bridge) / length
    right = np.array([down[1], -down[0]])
    left_cheek, right_cheek, tip = (
        landmarks.anchor(name) - bridge for name in ("left_cheek", "right_cheek", "nose_tip")
    )
    narrowest = _NARROWEST * length
    return _Face(
        bridge,
        down,
        right,
        length,
        (max(-float(left_cheek @ right), narrowest), max(float(right_cheek @ right), narrowest)),
        (float(left_cheek @ down) / length, float(right_cheek @ down) / length),
        float(np.clip(tip @ down / length, 0.1, 0.7)),
        float(tip @ right),
    )


def half_split(
    template: MaskTemplate, plan: Plan, landmarks: Landmarks, light: LightDirection
) -> Layer | None:
    """Fit a template to a face by two affine maps that share a bent midline.

    The template is drawn flat first: as the mean face wears it, seen from the front, at the size of this
    face.

    Args:
        template: The mask.
        plan: The random choices.
        landmarks: The face.
        light: The light on the face; it is turned with the face for the flat drawing.

    Returns:
        The layer, or None if no part of it lies in the image.
    """
    face, unit = _face(landmarks), max(landmarks.eye_distance, 1.0)
    flat_face = _flat_face(unit)
    flat = mesh(template, plan, flat_face, replace(light, direction=landmarks.axes @ light.direction))
    if flat is None:
        return None
    anchors = {name: flat_face.anchor(name).astype(np.float64) for name in _ANCHORS}
    window = window_around(_outline(flat, anchors, face), landmarks.image_size)
    if window is None:
        return None
    left, top, columns, rows = window
    x = np.arange(left, left + columns, dtype=np.float32)[None, :] - np.float32(face.bridge[0])
    y = np.arange(top, top + rows, dtype=np.float32)[:, None] - np.float32(face.bridge[1])
    along = x * np.float32(face.down[0]) + y * np.float32(face.down[1])
    along = np.asarray(along / np.float32(face.length), np.float32)
    across = x * np.float32(face.right[0]) + y * np.float32(face.right[1])
    map_x, map_y = _into_template(face, anchors, along, across)
    levels = premultiplied_levels(np.dstack([flat.bgr, flat.alpha]))
    # The scale along the face decides: across it, a turned face is foreshortened.
    span = float(np.linalg.norm(anchors["chin"] - anchors["nose_bridge"]))
    map_x, map_y = map_x - np.float32(flat.origin[0]), map_y - np.float32(flat.origin[1])
    layer = warp_template(levels, map_x, map_y, span / face.length, (left, top))
    return replace(layer, exposure=flat.exposure, unlit=flat.unlit)


def _flat_face(unit: float) -> Landmarks:
    """The mean face from the front, with ``unit`` pixels between the outer eye corners and room around it."""
    points = canonical_face() * unit + (1.1 * unit, 0.4 * unit, 0)
    return Landmarks(points.astype(np.float32), (math.ceil(2.2 * unit), math.ceil(2.6 * unit)))


def _into_template(
    face: _Face, anchors: dict[str, NDArray[np.float64]], along: Array, across: Array
) -> tuple[Array, Array]:
    """Template x and y for face coordinates; all arrays have one shape."""
    bridge, chin, *cheeks, tip = (anchors[name] for name in _ANCHORS)
    tip_along = (tip - bridge) @ (chin - bridge) / ((chin - bridge) @ (chin - bridge))
    # Pixels from the straight line to the seam, most at the nose tip. A soft minimum: the cloth curves over
    # the tip without a kink.
    rise, fall, gap = along / face.tip_along, (1 - along) / (1 - face.tip_along), np.float32(0.25)
    ridge = np.minimum(rise, fall) - gap * np.maximum(1 - np.abs(rise - fall) / (2 * gap), 0) ** 2 / 2
    ridge = np.clip(ridge / (1 - gap / 2), 0, 1).astype(np.float32)
    bend = np.float32(face.tip_across) * ridge
    on_right = across > bend

    def of_side(left: float, right: float) -> Array:
        return np.where(on_right, np.float32(right), np.float32(left))

    sign = of_side(-1, 1)
    outwards = bend * sign
    width = np.maximum(of_side(*face.widths), outwards + np.float32(_AROUND_NOSE * face.length))
    share = (across * sign - outwards) / (width - outwards)
    # A face that looks up or down has its nose tip nearer to the bridge or to the chin.
    nod = np.float32(tip_along - face.tip_along) * np.maximum(1 - share, 0)
    lengthwise = along + nod * ridge - share * of_side(*face.cheeks_along)
    x, y = (
        np.float32(bridge[i])
        + lengthwise * np.float32(chin[i] - bridge[i])
        + share * of_side(*(cheek[i] - bridge[i] for cheek in cheeks))
        for i in (0, 1)
    )
    return x, y


def _outline(flat: Layer, anchors: dict[str, NDArray[np.float64]], face: _Face) -> NDArray[np.float64]:
    """(n, 2) image points around everything that the flat mask can cover."""
    (left, top), (height, width) = flat.origin, flat.alpha.shape
    bridge, points = anchors["nose_bridge"], []
    for side, (name, far) in enumerate((("left_cheek", left), ("right_cheek", left + width))):
        basis = np.stack([anchors["chin"] - bridge, anchors[name] - bridge], axis=1)
        for corner in product((bridge[0], far), (top, top + height)):
            a, b = np.linalg.solve(basis, np.array(corner) - bridge)
            along, across = a + b * face.cheeks_along[side], b * face.widths[side] * (2 * side - 1)
            points += [
                face.bridge + face.down * along * face.length + face.right * (across + reach)
                for reach in (0.0, face.tip_across * 1.2)
            ]
    return np.array(points)
