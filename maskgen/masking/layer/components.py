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

# Width of a component's surroundings in eye distances; widths in pixels of its soft edge and of the band
# inside the edge that is compared to the surroundings.
_BESIDE, _EDGE, _BAND = 0.06, 2.0, 2.0
_CONTINUED = 0.4  # least share of the pixels just outside the face that continue a component
# Added to the distance beyond grey before it is compared to the distance from the line.
_GREY_MARGIN = np.float32(0.05)


@dataclass(frozen=True)
class OccluderKind:
    """Conditions under which a component counts as an occluder.

    Attributes:
        least: Least evidence of each of its pixels.
        contrast: Least excess of its median evidence over the evidence just beside it.
        edge: Least excess of the median evidence of its edge band.
        solidity: Least share of its convex hull that it fills.
        reach: Least and greatest depth inside the face, in eye distances.
        area: Least and greatest area on face and cloth, in square eye distances.
    """

    least: float
    contrast: float
    edge: float
    solidity: float
    reach: tuple[float, float]
    area: tuple[float, float]


def darkness(light: Floats, right: Line, middle: float) -> Floats:
    """(height, width) float32: darkness of each pixel, 0 in a band along the midline.

    Args:
        light: (height, width) float32.
        right: A pixel's distance to the right of the midline: its increase per column and per row, and its
            value in the first pixel.
        middle: Half the width of the band, in pixels.
    """
    rows, columns = np.indices(light.shape, np.float32, sparse=True)
    away = np.abs(right[2] + right[0] * columns + right[1] * rows)
    return np.where(away > middle, -light, np.float32(0))


def strangeness(beyond: Floats, across: Floats, unclear: Flags) -> Floats:
    """(height, width) float32: distance of each colour from the colours of skin; 0 where it is unclear."""
    return np.where(unclear, np.float32(0), np.maximum(across, beyond + _GREY_MARGIN))


def occluding_components(
    evidence: Floats, covered: Flags, face: Flags, depth: Floats, eye: float, kind: OccluderKind
) -> Iterator[Flags]:
    """Connected components of strong evidence that cross the face's outline and end at a sharp edge.

    Args:
        evidence: (height, width) float32: deviation of each pixel from this face's skin.
        covered: (height, width) bool: where the layer lies on the face.
        face: (height, width) bool.
        depth: (height, width) float32: distance to the face's outline in pixels.
        eye: Distance of the outer eye corners in pixels.
        kind: The conditions.

    Yields:
        (height, width) bool of each component.
    """
    strong = evidence > kind.least
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (strong & covered).astype(np.uint8), connectivity=4
    )
    for label in range(1, count):
        if not kind.area[0] <= stats[label, cv2.CC_STAT_AREA] / eye**2 <= kind.area[1]:
            continue
        component = labels == label
        reaches_in = kind.reach[0] <= depth[component].max() / eye <= kind.reach[1]
        if reaches_in and _stands_out(evidence, covered, face, component, eye, kind):
            yield component


def _stands_out(
    evidence: Floats, covered: Flags, face: Flags, component: Flags, eye: float, kind: OccluderKind
) -> bool:
    """Whether a component continues outside the face and contrasts with the skin beside it."""
    near = grown(component, _EDGE)
    ring = grown(component, _BESIDE * eye) | near
    outside = ring & ~face
    continued = np.count_nonzero(outside & (evidence > kind.least))
    beside = ring & ~near & covered
    if (
        np.count_nonzero(outside) < 0.1 * eye
        or continued < _CONTINUED * np.count_nonzero(outside)
        or not beside.any()
    ):
        return False
    skin = np.quantile(evidence[beside], 0.75)
    band = evidence[component & grown(beside, _EDGE + _BAND)]
    contrast = np.median(evidence[component]) - skin
    if band.size and np.median(band) - skin < kind.edge:
        return False
    if contrast < kind.contrast or (band.size == 0 and contrast < kind.edge):
        return False
    rows, columns = np.nonzero(component)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    return kind.solidity <= 0 or len(rows) >= kind.solidity * max(cv2.contourArea(hull), 1.0)


def grown(area: Flags, radius: float) -> Flags:
    """The area, dilated by ``radius`` pixels."""
    return cv2.dilate(area.astype(np.uint8), disc(radius)) > 0


def disc(radius: float) -> Image:
    """A disc-shaped structuring element of at least 3 x 3 pixels."""
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
