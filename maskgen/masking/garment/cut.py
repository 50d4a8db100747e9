"""Cut a garment out of its surface: its outline, colour, relief and trims at each pixel."""

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled, inlined
from maskgen.masking.garment.crumples import crumple_axes, crumple_tile
from maskgen.masking.garment.garment import BOTTOM, SIDE, TOP, Cloth, Garment
from maskgen.masking.garment.outline import edge_distances, nearest_edge
from maskgen.masking.garment.relief import add_folds, fold_table, pleat_relief, ridge_relief

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

NOWHERE = 1e3
# Beyond this distance outside of the outline nothing is computed.
_OUTSIDE = -0.06
# Pixels above this length, in eye distances, show the crumples of the smaller tile.
_COARSE = 0.8 / 130
# How much closer together wrinkles are one eye distance beside the midline, and the height that they run to.
_FAN, _FRONT = 1.1, 0.68
# How far an edge stands out where folds run into it, for a height of 1, and at most.
_RIPPLE, _HIGHEST = 0.22, 0.028
_NO_WEAVE = np.zeros((1, 1), np.float32)


def cut(garment: Garment, values: Floats, finest: float) -> tuple[Floats, Floats, Floats]:
    """Measure the outline, colour the cloth, and draw the relief and the trims.

    Args:
        garment: What is cut.
        values: (n, height, width) float32, first x and y in the garment; x is `NOWHERE` where its surface is
            not in view.
        finest: Length that a pixel shows, in eye distances.

    Returns:
        (height, width, 3) float32 colour; (height, width) float32 distance from the outline, positive inside;
        (height, width) float32 height of relief and trims. Lengths are in eye distances.
    """
    none = (-1, -1, -1)
    trims = [
        (t.edge, t.start, t.width, max(0.3 * t.width, finest), t.height, t.spacing, *(t.color or none))
        for t in garment.trims
    ]
    shape, relief = garment.outline, garment.relief
    tile = crumple_tile(128 if finest > _COARSE else 256)
    return _cut(
        values,
        finest,
        shape.edges,
        shape.rounding,
        (relief.pleats, relief.curves, relief.folds, relief.ridge),
        (tile, crumple_axes(relief, len(tile)), relief.crumple),
        _cloth_tiles(garment.cloth),
        np.array(trims, np.float64).reshape(-1, 9),
    )


def _cloth_tiles(cloth: Cloth) -> tuple[Floats, float, float, Floats, float, float]:
    """The print, its repeats in an eye distance, both ways; the weave, its pixels in one, its start."""
    if cloth.tile is None:
        tile, across, down = np.array([[cloth.color]], np.float32), 0.0, 0.0
    else:
        tile = cloth.tile.astype(np.float32)
        across, down = 1 / cloth.tile_size[0], 1 / cloth.tile_size[1]
    weave = _NO_WEAVE if cloth.weave is None else cloth.weave
    # Many repeats to the right and down: the places are positive.
    return tile, across, down, weave, len(weave) / cloth.weave_size, (cloth.weave_start + 256) * len(weave)


@compiled
def _cut(
    values: Floats,
    finest: float,
    edges: tuple[Floats, Floats, Floats],
    rounding: float,
    relief: tuple[Array, Floats, Array, tuple[float, float, float, float]],
    crumples: tuple[Floats, Array, float],
    cloth: tuple[Floats, float, float, Floats, float, float],
    trims: Array,
) -> tuple[Floats, Floats, Floats]:
    pleats, curves, folds, ridge = relief
    (wrinkles, axes, depth), (tile, across, down, weave, density, start) = crumples, cloth
    fold_rows = fold_table(folds, 2 * finest)
    trimmed = 0.0
    for k in range(len(trims)):
        trimmed = max(trimmed, trims[k, 1] + trims[k, 2] + trims[k, 3])
    height, width = values.shape[1:]
    color = np.zeros((height, width, 3), np.float32)
    nearest, heights = np.full((height, width), -1, np.float32), np.zeros((height, width), np.float32)
    edge_row = np.zeros((width, 3))  # distances from TOP, BOTTOM and SIDE
    waver_row, wrinkle_row = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for row in range(height):
        # A row in three steps: outline and wrinkles, then the folds in a vectorised loop, then all the rest.
        first, last = width, 0
        for column in range(width):
            x, y = float(values[0, row, column]), float(values[1, row, column])
            if x >= NOWHERE:
                continue
            distances = edge_distances(edges, x, y)
            inside = nearest_edge(distances[0], distances[1], distances[2], rounding)
            nearest[row, column] = inside
            if inside < _OUTSIDE:
                continue
            first, last = min(first, column), column + 1
            # Cloth is gathered at the loops: its wrinkles fan out from there.
            fanned = y + _FAN * x * x * (y - _FRONT)
            crumpled, waver = _repeated_pair(
                wrinkles,
                axes[0, 0] * x + axes[0, 1] * fanned + axes[0, 2],
                axes[1, 0] * x + axes[1, 1] * fanned + axes[1, 2],
            )
            edge_row[column, 0], edge_row[column, 1], edge_row[column, 2] = distances
            waver_row[column], wrinkle_row[column] = waver, depth * crumpled
        here = slice(first, last)
        add_folds(fold_rows, values[0, row, here], values[1, row, here] + waver_row[here], heights[row, here])
        for column in range(first, last):
            if nearest[row, column] < _OUTSIDE:
                continue
            x, y = float(values[0, row, column]), float(values[1, row, column])
            waver = float(waver_row[column])
            total, dark = pleat_relief(pleats, curves, finest, x, y + waver)
            ridged, seam = ridge_relief(ridge, finest, x + 0.5 * waver, y)
            total += heights[row, column]
            # Small wrinkles end before the seam; a nose wire keeps the upper edge straight.
            ripple = min(max(_RIPPLE * total, -_HIGHEST), _HIGHEST)
            ripple *= min(0.25 + 5 * abs(edge_row[column, TOP]), 1.0)
            nearest[row, column] += np.float32(ripple)
            lightness = (1 - dark) * (1 - seam)
            lightness *= 1 + _repeated(weave, density * x + start, density * y + start)
            total += wrinkle_row[column] + ridged
            _paint(color, row, column, lightness, tile, across * x, down * y)
            upper, lower = edge_row[column, TOP] + ripple, edge_row[column, BOTTOM] + ripple
            aside = edge_row[column, SIDE] + ripple
            if min(upper, lower, aside) < trimmed:
                total += _draw_trims(color[row, column], trims, (upper, lower, aside), x, y, finest)
            heights[row, column] = total
    return color, nearest, heights


@inlined
def _repeated(tile: Floats, x: float, y: float) -> float:
    """The value of a tile that repeats in both directions, at a positive place; its sides are powers of 2."""
    left, top = int(x), int(y)
    t, s = x - left, y - top
    last_x, last_y = tile.shape[1] - 1, tile.shape[0] - 1
    i, j = left & last_x, top & last_y
    right, below = (left + 1) & last_x, (top + 1) & last_y
    upper = tile[j, i] + t * (tile[j, right] - tile[j, i])
    lower = tile[below, i] + t * (tile[below, right] - tile[below, i])
    return float(upper + s * (lower - upper))


@inlined
def _repeated_pair(tile: Floats, x: float, y: float) -> tuple[float, float]:
    """As `_repeated`, of a tile with two channels."""
    left, top = int(x), int(y)
    t, s = x - left, y - top
    last_x, last_y = tile.shape[1] - 1, tile.shape[0] - 1
    i, j = left & last_x, top & last_y
    right, below = (left + 1) & last_x, (top + 1) & last_y
    a, b, c, d = (1 - t) * (1 - s), t * (1 - s), (1 - t) * s, t * s
    return (
        a * tile[j, i, 0] + b * tile[j, right, 0] + c * tile[below, i, 0] + d * tile[below, right, 0],
        a * tile[j, i, 1] + b * tile[j, right, 1] + c * tile[below, i, 1] + d * tile[below, right, 1],
    )


@inlined
def _paint(color: Floats, row: int, column: int, lightness: float, tile: Floats, x: float, y: float) -> None:
    """Write a pixel's colour: that of a tile that repeats in both directions, times a lightness.

    x, y: in tiles.
    """
    rows, columns = tile.shape[:2]
    if rows * columns == 1:
        for channel in range(3):
            color[row, column, channel] = lightness * tile[0, 0, channel]
        return
    x, y = (x - np.floor(x)) * columns, (y - np.floor(y)) * rows
    i, j = min(int(x), columns - 1), min(int(y), rows - 1)
    t, s = x - i, y - j
    right, below = (i + 1 if i + 1 < columns else 0), (j + 1 if j + 1 < rows else 0)
    for channel in range(3):
        upper = tile[j, i, channel] + t * (tile[j, right, channel] - tile[j, i, channel])
        lower = tile[below, i, channel] + t * (tile[below, right, channel] - tile[below, i, channel])
        color[row, column, channel] = lightness * (upper + s * (lower - upper))


@inlined
def _draw_trims(
    pixel: Floats, trims: Array, distances: tuple[float, float, float], x: float, y: float, finest: float
) -> float:
    """Draw the trims over a pixel's colour, and give their height; distances: from TOP, BOTTOM and SIDE."""
    height = 0.0
    for k in range(len(trims)):
        edge, wide, soft = int(trims[k, 0]), trims[k, 2], trims[k, 3]
        distance = distances[0] if edge == TOP else distances[1] if edge == BOTTOM else distances[2]
        distance -= trims[k, 1]
        if distance < -soft or distance > wide + soft:
            continue
        share = _trim_share(wide, soft, trims[k, 5], distance, y if edge == SIDE else x, finest)
        height += share * trims[k, 4]
        for channel in range(3 if trims[k, 6] >= 0 else 0):
            pixel[channel] += share * (trims[k, 6 + channel] - pixel[channel])
    return height


@inlined
def _trim_share(
    width: float, soft: float, spacing: float, distance: float, along: float, finest: float
) -> float:
    """How much of a pixel a trim takes, from 0 to 1; distance: from its beginning; along: along its edge."""
    share = min(max(distance / soft + 0.5, 0.0), 1.0) * min(max((width - distance) / soft + 0.5, 0.0), 1.0)
    # A band thinner than a pixel shows only by its share of the pixel.
    share *= min(width / soft, 1.0)
    if spacing == 0:
        return float(share)
    # Stitches that are too small to see are half of a line.
    stitched = 0.5 if spacing < 2 * finest else min(max(2 * np.cos(along * 2 * np.pi / spacing), 0.0), 1.0)
    return float(share * stitched)
