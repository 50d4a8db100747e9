"""Crumples: a seamless tile of flat facets between creases, as crushed cloth has them."""

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.masking.garment.relief import Relief

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

# Length of the tile in eye distances, and how far its course moves pleats and folds.
_TILE_LENGTH, _WAVER = 1.6, 0.011
_SIDE = 256  # of the tile in pixels before it is reduced
# Facets from the broad to the fine: how many corners they have, width over height, softness of the creases in
# pixels, and height. Broad ones are everywhere; fine ones lie in patches: the cloth between them is smooth.
_BROAD, _FINE = (26, 1.8, 4.0, 0.2), ((110, 1.6, 3.0, 0.65), (420, 1.4, 1.9, 0.3))


def crumple_axes(relief: Relief, side: int) -> Array:
    """(2, 3) matrix from places in the garment, fanned out, to pixels of a `crumple_tile` of this side."""
    left, top, turn, along, across = relief.crumple_map
    scale, cosine, sine = side / _TILE_LENGTH, math.cos(turn), math.sin(turn)
    # Many repeats to the right and down: the places are positive.
    return np.array(
        [
            (scale * along * cosine, scale * along * sine, (left + 16) * side),
            (-scale * across * sine, scale * across * cosine, (top + 16) * side),
        ]
    )


@cache
def crumple_tile(side: int) -> Floats:
    """(side, side, 2) float32, seamless: crumples with unit deviation, and the course that folds take.

    Crushed cloth is flat between creases, which run mostly across the mask. The course is smooth; it
    moves pleats and folds, in eye distances.
    """
    reduced = cv2.resize(_whole_tile(), (side, side), interpolation=cv2.INTER_AREA)
    # Rounded, so that the last bits of a processor's blur do not matter.
    return np.asarray(reduced.round(4), np.float32)


@cache
def _whole_tile() -> Array:
    """The tile before it is reduced: computed once for all sides."""
    generator = np.random.Generator(np.random.PCG64(7))
    patches = np.clip(0.5 + 0.8 * _smooth(generator, 26, 22), 0.1, 1.8)
    total = _facets(generator, *_BROAD)
    for layer in _FINE:
        total += patches * _facets(generator, *layer)
    total -= total.mean()
    return np.stack([total / total.std(), _WAVER * _smooth(generator, 16, 16)], axis=2)


def _facets(generator: np.random.Generator, count: int, wide: float, soft: float, height: float) -> Array:
    """Flat triangles between random points of random height: their Delaunay triangulation.

    Args:
        generator: Draws the points.
        count: Number of points in the tile.
        wide: How much wider than high the triangles are.
        soft: Standard deviation in pixels of the blur that rounds the creases.
        height: Standard deviation of the result.
    """
    points, heights = np.rint(generator.random((count, 2)) * _SIDE), generator.standard_normal(count)
    repeats = [(x, y) for x in (-_SIDE, 0, _SIDE) for y in (-_SIDE, 0, _SIDE)]
    # Narrower while they are connected: the triangles are wide.
    placed = (np.concatenate([points + repeat for repeat in repeats]) / (wide, 1)).astype(np.float32)
    corners = placed.tolist()
    net = cv2.Subdiv2D((-_SIDE, -_SIDE, 3 * _SIDE, 3 * _SIDE))
    net.insert(corners)
    # Sorted: OpenCV's versions list them in different orders.
    listed = np.reshape(net.getTriangleList(), (-1, 3, 2)).tolist()
    triangles = np.array(sorted(map(sorted, listed)))
    height_of = dict(zip(map(tuple, corners), np.tile(heights, len(repeats)), strict=True))
    levels = np.array([[height_of[tuple(corner)] for corner in each] for each in triangles.tolist()])
    places = np.dstack([triangles * (wide, 1), np.ones((len(triangles), 3))])
    planes = np.linalg.solve(places, levels[:, :, None])[:, :, 0]
    owner = np.zeros((_SIDE, _SIDE), np.int32)
    for number, triangle in enumerate(np.rint(places[:, :, :2]).astype(np.int32)):
        cv2.fillConvexPoly(owner, triangle, [number])
    y, x = np.mgrid[:_SIDE, :_SIDE]
    surface = (planes[owner] * np.dstack([x, y, np.ones_like(x)])).sum(axis=2)
    return height * _blurred(surface, soft, soft)


def _smooth(generator: np.random.Generator, across: float, down: float) -> Array:
    return _blurred(generator.standard_normal((_SIDE, _SIDE)), across, down)


def _blurred(tile: Array, across: float, down: float) -> Array:
    """A seamless tile blurred by standard deviations in pixels, itself with unit deviation."""
    half = _SIDE // 2
    wide = cv2.GaussianBlur(np.pad(tile, half, mode="wrap"), (0, 0), sigmaX=across, sigmaY=down)
    inner = np.asarray(wide, np.float64)[half:-half, half:-half]
    return np.asarray(inner / inner.std())
