"""Connected components that look like occluders: they cross the face outline and have sharp edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]
Line = tuple[float, float, float]

# In eye distances, how far from a component its surroundings reach; in pixels, how far an edge may take to
# fall off, and how far inside it pixels are compared with those outside.
_BESIDE, _EDGE, _RIM = 0.06, 2.0, 2.0
_CONTINUED = 0.4  # share of the pixels just outside the face that continue a component
# Added to the distance beyond grey before it is compared with that off the line.
_GREY_MARGIN = np.float32(0.05)


@dataclass(frozen=True)
class OccluderKind:
    """What a component must be like to count as an occluder.

    Attributes:
        least: Least evidence in each of its pixels.
        contrast: By how much its median exceeds the evidence just beside it.
        edge: By how much its rim does.
        solidity: Its share of its convex hull.
        reach: The least and the most that it reaches into the face, in eye distances.
        area: The least and the most that it covers of face and cloth, in square eye distances.
    """

    least: float
    contrast: float
    edge: float
    solidity: float
    reach: tuple[float, float]
    area: tuple[float, float]


def darkness(light: Floats, right: Line, middle: float) -> Floats:
    """(height, width) float32: how dark each pixel is, 0 along the midline.

    Args:
        light: (height, width) float32.
        right: A pixel's distance to the right of the midline: its growth with each column and each row, and
            its value in the first pixel.
        middle: How far the middle reaches to both sides, in pixels.
    """
    rows, columns = np.indices(light.shape, np.float32, sparse=True)
    away = np.abs(right[2] + right[0] * columns + right[1] * rows)
    return np.where(away > middle, -light, np.float32(0))


def strangeness(beyond: Floats, across: Floats, unclear: Flags) -> Floats:
    """(height, width) float32: how far each colour is from what skin takes; 0 where it is unclear."""
    return np.where(unclear, np.float32(0), np.maximum(across, beyond + _GREY_MARGIN))


def occluding_components(
    evidence: Floats, seen: Flags, face: Flags, depth: Floats, eye: float, kind: OccluderKind
) -> Iterator[Flags]:
    """The components of strong evidence that come in over the face's outline and end at a sharp edge.

    Args:
        evidence: (height, width) float32: how unlike this face's skin a pixel is.
        seen: (height, width) bool: where the layer lies on the face.
        face: (height, width) bool.
        depth: (height, width) float32: distance to the face's outline in pixels.
        eye: Distance of the outer eye corners in pixels.
        kind: What a component must be like.

    Yields:
        (height, width) bool of each.
    """
    strong = evidence > kind.least
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (strong & seen).astype(np.uint8), connectivity=4
    )
    for label in range(1, count):
        if not kind.area[0] <= stats[label, cv2.CC_STAT_AREA] / eye**2 <= kind.area[1]:
            continue
        piece = labels == label
        reaches_in = kind.reach[0] <= depth[piece].max() / eye <= kind.reach[1]
        if reaches_in and _stands_out(evidence, seen, face, piece, eye, kind):
            yield piece


def _stands_out(
    evidence: Floats, seen: Flags, face: Flags, piece: Flags, eye: float, kind: OccluderKind
) -> bool:
    """Whether a component goes on outside the face, and differs from what lies beside it and its edge."""
    close = grown(piece, _EDGE)
    ring = grown(piece, _BESIDE * eye) | close
    outside = ring & ~face
    going_on = np.count_nonzero(outside & (evidence > kind.least))
    beside = ring & ~close & seen
    if (
        np.count_nonzero(outside) < 0.1 * eye
        or going_on < _CONTINUED * np.count_nonzero(outside)
        or not beside.any()
    ):
        return False
    skin = np.quantile(evidence[beside], 0.75)
    rim = evidence[piece & grown(beside, _EDGE + _RIM)]
    contrast = np.median(evidence[piece]) - skin
    if rim.size and np.median(rim) - skin < kind.edge:
        return False
    if contrast < kind.contrast or (rim.size == 0 and contrast < kind.edge):
        return False
    rows, columns = np.nonzero(piece)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    return kind.solidity <= 0 or len(rows) >= kind.solidity * max(cv2.contourArea(hull), 1.0)


def grown(area: Flags, radius: float) -> Flags:
    """The area and all within ``radius`` pixels of it."""
    return cv2.dilate(area.astype(np.uint8), disc(radius)) > 0


def disc(radius: float) -> Image:
    """A disc for OpenCV's morphology, of at least 3 x 3 pixels."""
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
