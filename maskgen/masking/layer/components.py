"""Connected components that look like occluders: they cross the face outline and have sharp edges."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.records import Image

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Width of a component's surroundings in eye distances; widths in pixels of its soft edge and of the band
# inside the edge that is compared to the surroundings.
_BESIDE, _EDGE, _BAND = 0.06, 2.0, 2.0
_FOLLOWED = 0.15  # how far a component is followed outside the face, in eye distances


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
        continued: Least share of the pixels just outside the face that continue it.
        beyond: How far outside the face it reaches at least, in eye distances; more than a beard if above 0.
    """

    least: float
    contrast: float
    edge: float
    solidity: float
    reach: tuple[float, float]
    area: tuple[float, float]
    continued: float = 0.4
    beyond: float = 0.0


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
        (height, width) bool of each component, extended a little outside the face.
    """
    strong = evidence > kind.least
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (strong & covered).view(np.uint8), connectivity=4
    )
    room = math.ceil(max(_FOLLOWED * eye, _EDGE + _BAND)) + 2
    for label in range(1, count):
        left, top, width, height, area = stats[label].tolist()
        if not kind.area[0] <= area / eye**2 <= kind.area[1]:
            continue
        near = (
            slice(max(top - room, 0), top + height + room),
            slice(max(left - room, 0), left + width + room),
        )
        component, beyond = labels[near] == label, ~face[near]
        if not kind.reach[0] <= depth[near][component].max() / eye <= kind.reach[1]:
            continue
        if _stands_out(evidence[near], covered[near], beyond, component, eye, kind):
            whole = np.zeros_like(face)
            if kind.beyond and _farthest(labels == label, strong, face) < kind.beyond * eye:
                continue
            whole[near] = component | (grown(component, _FOLLOWED * eye) & strong[near] & beyond)
            yield whole


def _stands_out(
    evidence: Floats, covered: Flags, beyond: Flags, component: Flags, eye: float, kind: OccluderKind
) -> bool:
    """Whether a component continues beyond the face and contrasts with the skin beside it."""
    near = grown(component, _EDGE)
    ring = grown(component, _BESIDE * eye) | near
    outside = ring & beyond
    edge, continued = np.count_nonzero(outside), np.count_nonzero(outside & (evidence > kind.least))
    beside = ring & ~near & covered
    if edge < 0.1 * eye or continued < kind.continued * edge or not beside.any():
        return False
    skin = np.quantile(evidence[beside], 0.75)
    band = evidence[component & grown(beside, _EDGE + _BAND)]
    contrast = np.median(evidence[component]) - skin
    if band.size and np.median(band) - skin < kind.edge:
        return False
    if contrast < kind.contrast or (band.size == 0 and contrast < kind.edge):
        return False
    hull = cv2.convexHull(cv2.findNonZero(component.view(np.uint8)))
    return bool(np.count_nonzero(component) >= kind.solidity * max(cv2.contourArea(hull), 1.0))


def _farthest(component: Flags, strong: Flags, face: Flags) -> float:
    """How many pixels from the face the strong evidence reaches that continues a component outside it."""
    _, labels = cv2.connectedComponents((strong & (component | ~face)).view(np.uint8), connectivity=4)
    whole = labels == labels[component][0]
    away = cv2.distanceTransform((~face).view(np.uint8), cv2.DIST_L2, 3)
    return float(away[whole].max())


def grown(area: Flags, radius: float) -> Flags:
    """The area, dilated by ``radius`` pixels."""
    return cv2.dilate(area.view(np.uint8), disc(radius)).view(np.bool_)


def disc(radius: float) -> Image:
    """A disc-shaped structuring element of at least 3 x 3 pixels."""
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
