"""Objects in front of the mouth or a cheek: a microphone, a ball, a sleeve, a bar, a scarf.

An object's colour is not on the line from the skin's colour to grey, or it is grey and no darker than the
skin. Only coloured light and white beards look like that too, and they are told apart.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.face.skin_view import SkinView
from maskgen.masking.layer.components import OccluderKind, disc, grown, occluding_components

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_MOUTH = (13, 14)

# All numbers were chosen by eye over 1832 photographs.
# Evidence of an object: distance of its colour from the line between skin colour and grey, or beyond grey.
# The more colour the light or the skin has, the farther shadows and reflections lie from the line.
_OBJECT = OccluderKind(
    least=0.28, contrast=0.22, edge=0.15, solidity=0.65, reach=(0.12, 0.6), area=(0.03, 0.2)
)
_STRAYING = 0.5  # least contrast of an object, as a share of the skin's distance from grey
# The same evidence of a colour that no make-up has: such an object may cover half the lower face.
_VIVID = OccluderKind(
    least=0.45, contrast=0.36, edge=0.3, solidity=0.6, reach=(0.12, 0.9), area=(0.03, 0.7), continued=0.3
)
_COLORED_LIGHT = 0.75  # distance of the skin's colour from grey above which the light is coloured
# Evidence of a grey or white object: how near to grey a pixel is that is no darker than the skin.
_PALE = OccluderKind(
    least=0.6, contrast=0.5, edge=0.4, solidity=0.75, reach=(0.18, 0.9), area=(0.04, 0.7), beyond=0.25
)
_GREYISH = 0.2  # distance of the skin's colour from grey below which grey is no evidence
# What is darker than any beard belongs to the object that it touches, so near to it in eye distances.
_DARK, _NEAR = 1.0, 0.35
_GAPS = 0.1  # width in eye distances of an object's gaps that are filled: seams, highlights


def objects_before(view: SkinView, covered: Flags, bearded: bool) -> list[Flags]:
    """Objects in front of the face, each (height, width) bool.

    Args:
        view: The face.
        covered: (height, width) bool: where the layer lies on the face.
        bearded: Whether the face has a beard, which is not told apart from an object's dark parts.
    """
    objects: list[Flags] = []
    strange, few = view.strangeness, view.eye**2
    if np.count_nonzero(covered & (strange > _OBJECT.least)) >= _OBJECT.area[0] * few:
        colored = np.where(view.inside(_LIPS), np.float32(0), strange)
        contrast = max(_OBJECT.contrast, _STRAYING * view.chroma)
        objects += _entering(view, colored, replace(_OBJECT, contrast=contrast), covered)
        if view.chroma < _COLORED_LIGHT:
            objects += _entering(view, strange, _VIVID, covered)
    if objects and not bearded:
        objects = [_with_dark_parts(view, np.logical_or.reduce(objects), covered)]
    if view.chroma >= _GREYISH:
        pale = np.where(view.light > 0, view.greyness, np.float32(0))
        if np.count_nonzero(covered & (pale > _PALE.least)) >= _PALE.area[0] * few:
            objects += [area for area in _entering(view, pale, _PALE, covered) if not _is_beard(view, area)]
    return [_filled(view, area) for area in objects]


def _entering(view: SkinView, evidence: Floats, kind: OccluderKind, covered: Flags) -> list[Flags]:
    return list(occluding_components(evidence, covered, view.face, view.depth, view.eye, kind))


def _with_dark_parts(view: SkinView, area: Flags, covered: Flags) -> Flags:
    dark = (view.light < -_DARK) | (view.strangeness > _OBJECT.least)
    dark &= covered & grown(area, _NEAR * view.eye)
    _, labels = cv2.connectedComponents((area | dark).view(np.uint8), connectivity=4)
    return np.isin(labels, np.unique(labels[area]))


def _is_beard(view: SkinView, area: Flags) -> bool:
    """Whether an area surrounds the mouth, which an object would hide."""
    x, y = view.points[list(_MOUTH)].mean(axis=0).round().tolist()
    rows, columns = area.shape
    if not (0 <= x < columns and 0 <= y < rows) or area[int(y), int(x)]:
        return False
    hull = cv2.convexHull(cv2.findNonZero(area.view(np.uint8)))
    return cv2.pointPolygonTest(hull, (x, y), False) > 0


def _filled(view: SkinView, area: Flags) -> Flags:
    closed = cv2.morphologyEx(area.view(np.uint8), cv2.MORPH_CLOSE, disc(_GAPS * view.eye))
    return closed.view(np.bool_)
