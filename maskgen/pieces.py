"""Pieces of strong evidence that come in over a face's outline and end at a sharp edge: compiled loops."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled
from maskgen.outlines import hull
from maskgen.quick import select

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Line = tuple[float, float, float]
Asked = tuple[float, float, float, float, float, float, float, float]

# In eye distances, how far from a piece its surroundings reach; in pixels, how far an edge may take to fall
# off, and how far inside it pixels are compared with those outside.
_BESIDE, _EDGE, _RIM = 0.06, 2.0, 2.0
_CONTINUED = 0.4  # share of the pixels just outside the face that continue a piece
# Added to the distance beyond grey before it is compared with that off the line.
_GREY_MARGIN = np.float32(0.05)
_CLOTH = 8  # least alpha that counts as the layer


@compiled
def under_cloth(
    alpha: NDArray[np.uint8], origin: tuple[int, int], corner: tuple[int, int], step: int, face: Flags
) -> Flags:
    """Where a layer lies on the face, as a reduced part of the image shows it.

    Args:
        alpha: The layer's, (any height, any width) uint8.
        origin: Of the layer, (x, y) in the image.
        corner: Of the part, likewise.
        step: Image pixels for one of the part's. They are few enough for the middle one to stand for all.
        face: (height, width) bool, of the part's size.
    """
    seen = np.zeros(face.shape, np.bool_)
    for row in range(face.shape[0]):
        y = corner[1] + row * step + step // 2 - origin[1]
        if not 0 <= y < alpha.shape[0]:
            continue
        for column in range(face.shape[1]):
            x = corner[0] + column * step + step // 2 - origin[0]
            if 0 <= x < alpha.shape[1]:
                seen[row, column] = face[row, column] and alpha[y, x] > _CLOTH
    return seen


@compiled
def darkness(light: Floats, seen: Flags, right: Line, middle: float, least: float) -> tuple[Floats, int]:
    """(height, width) float32: how dark each pixel is, 0 along the midline; and how many dark ones are seen.

    Args:
        light: (height, width) float32.
        seen: (height, width) bool.
        right: By how much a pixel's distance to the right of the midline grows with each column and each row,
            and what it is in the first pixel.
        middle: How far the middle reaches to both sides.
        least: Darkness that counts.
    """
    evidence = np.empty(light.shape, np.float32)
    count = 0
    each, below, first = np.float32(right[0]), np.float32(right[1]), np.float32(right[2])
    for row in range(light.shape[0]):
        for column in range(light.shape[1]):
            away = abs(first + each * column + below * row)
            value = -light[row, column] if away > middle else np.float32(0)
            evidence[row, column] = value
            if seen[row, column] and value > least:
                count += 1
    return evidence, count


@compiled
def strangeness(
    beyond: Floats, across: Floats, unclear: Flags, seen: Flags, least: float
) -> tuple[Floats, int]:
    """(height, width) float32: how far each colour is from what skin takes; and how many such are seen."""
    evidence = np.empty(beyond.shape, np.float32)
    count = 0
    for row in range(beyond.shape[0]):
        for column in range(beyond.shape[1]):
            value = max(across[row, column], beyond[row, column] + _GREY_MARGIN)
            if unclear[row, column]:
                value = np.float32(0)
            evidence[row, column] = value
            if seen[row, column] and value > least:
                count += 1
    return evidence, count


@compiled
def find_pieces(
    evidence: Floats, seen: Flags, face: Flags, depth: Floats, eye: float, asked: Asked
) -> tuple[Labels, list[int]]:
    """Number the pieces, and say which of them pass all tests.

    Args:
        evidence: (height, width) float32: how unlike this face's skin a pixel is.
        seen: (height, width) bool: where the layer lies on the face.
        face: (height, width) bool.
        depth: (height, width) float32: distance to the face's outline.
        eye: Eye distance in pixels.
        asked: What is asked of a piece: least evidence, contrast, edge, solidity; least and most reach; least
            and most area.

    Returns:
        (height, width) int32: the piece that a pixel belongs to, from 1 on; and the passing pieces.
    """
    height, width = evidence.shape
    labels = np.zeros((height, width), np.int32)
    stack = np.empty((height * width, 2), np.int32)
    near, beside = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    passing = [0 for _ in range(0)]
    label = 0
    for y in range(height):
        for x in range(width):
            if labels[y, x] or not seen[y, x] or not evidence[y, x] > asked[0]:
                continue
            label += 1
            labels[y, x] = label
            stack[0, 0], stack[0, 1] = y, x
            size, done = 1, 0
            deepest = np.float32(0)
            while done < size:
                row, column = stack[done, 0], stack[done, 1]
                done += 1
                deepest = max(deepest, depth[row, column])
                for k in range(4):
                    to_y, to_x = row + (k == 0) - (k == 1), column + (k == 2) - (k == 3)
                    if (
                        0 <= to_y < height
                        and 0 <= to_x < width
                        and not labels[to_y, to_x]
                        and seen[to_y, to_x]
                        and evidence[to_y, to_x] > asked[0]
                    ):
                        labels[to_y, to_x] = label
                        stack[size, 0], stack[size, 1] = to_y, to_x
                        size += 1
            area, reach = size / eye**2, deepest / eye
            if not asked[6] <= area <= asked[7] or not asked[4] <= reach <= asked[5]:
                continue
            near[:], beside[:] = 0, 0
            if _passes(evidence, seen, face, labels, label, stack[:size], near, beside, eye, asked):
                passing.append(label)
    return labels, passing


@compiled
def _passes(
    evidence: Floats,
    seen: Flags,
    face: Flags,
    labels: Labels,
    label: int,
    pixels: Labels,
    near: NDArray[np.uint8],
    beside: NDArray[np.uint8],
    eye: float,
    asked: Asked,
) -> bool:
    """Whether a piece goes on outside the face, and stands out from what is beside it, also at its edge.

    Args:
        evidence: As in `find_pieces`, like all that is not named here.
        seen: Likewise.
        face: Likewise.
        labels: Likewise.
        label: The piece.
        pixels: (n, 2) int32: the rows and columns of its pixels.
        near: (height, width) uint8, 0 throughout; it is written.
        beside: Likewise.
        eye: As in `find_pieces`.
        asked: Likewise.
    """
    height, width = evidence.shape
    for k in range(len(pixels)):
        _stamp(near, pixels[k, 0], pixels[k, 1], _BESIDE * eye, 1)
    for k in range(len(pixels)):
        _stamp(near, pixels[k, 0], pixels[k, 1], _EDGE, 3)
    outside = going_on = count = 0
    values = np.empty(height * width, np.float32)
    for y in range(height):
        for x in range(width):
            if near[y, x] and not face[y, x]:
                outside += 1
                going_on += evidence[y, x] > asked[0]
            if near[y, x] == 1 and seen[y, x]:
                values[count] = evidence[y, x]
                count += 1
                _stamp(beside, y, x, _EDGE + _RIM, 1)
    if outside < 0.1 * eye or going_on < _CONTINUED * outside or count == 0:
        return False
    skin = _share(values, count, 0.75)
    count = 0
    for k in range(len(pixels)):
        if beside[pixels[k, 0], pixels[k, 1]]:
            values[count] = evidence[pixels[k, 0], pixels[k, 1]]
            count += 1
    if count and _share(values, count, 0.5) - skin < asked[2]:
        return False
    for k in range(len(pixels)):
        values[k] = evidence[pixels[k, 0], pixels[k, 1]]
    contrast = _share(values, len(pixels), 0.5) - skin
    if contrast < asked[1] or (count == 0 and contrast < asked[2]):
        return False
    return asked[3] <= 0 or len(pixels) >= asked[3] * _hull_area(pixels)


@compiled
def _stamp(plane: NDArray[np.uint8], y: int, x: int, radius: float, value: int) -> None:
    """Give a value to the pixels of a disc."""
    height, width = plane.shape
    whole = max(1, round(radius))
    for down in range(max(-whole, -y), min(whole, height - 1 - y) + 1):
        across = round(math.sqrt(whole * whole - down * down))
        for column in range(max(x - across, 0), min(x + across, width - 1) + 1):
            plane[y + down, column] = value


@compiled
def _share(values: Floats, count: int, share: float) -> float:
    """The value below which that share of the first ``count`` lies, between two of them if need be."""
    place = share * (count - 1)
    at = int(place)
    low = select(values, count, at)
    if at == place:
        return low
    return low + (select(values, count, at + 1) - low) * (place - at)


@compiled
def _hull_area(pixels: Labels) -> float:
    """Area of the convex hull of some pixels' centres, at least 1."""
    xs, ys = np.empty(len(pixels), np.int64), np.empty(len(pixels), np.int64)
    for k in range(len(pixels)):
        ys[k], xs[k] = pixels[k, 0], pixels[k, 1]
    corners = hull(xs, ys, len(xs))
    twice = 0
    for k in range(corners):
        after = k + 1 if k + 1 < corners else 0
        twice += xs[k] * ys[after] - xs[after] * ys[k]
    return max(abs(twice) / 2, 1.0)
