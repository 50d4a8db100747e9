"""Cut a garment out of its surface: its outline, relief and trims at each pixel."""

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.masking.garment.garment import SIDE, Garment
from maskgen.masking.garment.outline import edge_distances, nearest_edge
from maskgen.masking.garment.relief import fold_height, step_height

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

NOWHERE = 1e3
# Beyond this distance outside of the outline nothing is computed.
_OUTSIDE = -0.06


def cut(garment: Garment, values: Floats, finest: float, color: Floats) -> tuple[Floats, Floats]:
    """Measure the outline, draw the relief, and paint the trims.

    Args:
        garment: What is cut.
        values: (height, width, n) float32, first x and y in the garment; x is `NOWHERE` where its surface is
            not in view.
        finest: Length that a pixel shows, in eye distances.
        color: (height, width, 3) float32 of the cloth; trims are painted on it.

    Returns:
        (height, width) float32 distance from the outline, positive inside, and (height, width) float32 height
        of relief and trims, both in eye distances.
    """
    rows = [
        (trim.edge, trim.start, trim.width, trim.height, trim.spacing, *(trim.color or (-1, -1, -1)))
        for trim in garment.trims
    ]
    shape, relief = garment.outline, garment.relief
    return _cut(
        (shape.top, shape.bottom, shape.side, shape.rounding),
        (relief.steps, relief.folds, relief.ways, relief.half_width),
        np.array(rows, np.float64).reshape(-1, 8),
        finest,
        values,
        color,
    )


@compiled
def _cut(
    shape: tuple[Floats, Floats, Floats, float],
    relief: tuple[Array, Array, Array, float],
    trims: Array,
    finest: float,
    values: Floats,
    color: Floats,
) -> tuple[Floats, Floats]:
    (top, bottom, side, rounding), (steps, folds, ways, half_width) = shape, relief
    height, width = values.shape[:2]
    nearest, heights = np.full((height, width), -1, np.float32), np.zeros((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            x, y = values[row, column, 0], values[row, column, 1]
            if x >= NOWHERE:
                continue
            distances = edge_distances(top, bottom, side, x, y)
            nearest[row, column] = nearest_edge(distances[0], distances[1], distances[2], rounding)
            if nearest[row, column] < _OUTSIDE:
                continue
            total = step_height(steps, min((x / half_width) ** 2, 1.0), finest, y)
            total += fold_height(folds, ways, x, y)
            for k in range(len(trims)):
                edge = int(trims[k, 0])
                along = y if edge == SIDE else x
                share = _trim_share(trims[k], distances[edge] - trims[k, 1], along, finest)
                if share > 0:
                    total += share * trims[k, 3]
                    for channel in range(3 if trims[k, 5] >= 0 else 0):
                        color[row, column, channel] += share * (
                            trims[k, 5 + channel] - color[row, column, channel]
                        )
            heights[row, column] = total
    return nearest, heights


@compiled
def _trim_share(trim: Array, distance: float, along: float, finest: float) -> float:
    """How much of a pixel a trim takes, from 0 to 1; distance: from its beginning; along: along its edge."""
    width, spacing = trim[2], trim[4]
    soft = max(0.3 * width, finest)
    if distance < -soft or distance > width + soft:
        return 0.0
    share = min(max(distance / soft + 0.5, 0.0), 1.0) * min(max((width - distance) / soft + 0.5, 0.0), 1.0)
    # A band thinner than a pixel shows only by its share of the pixel.
    share *= min(width / soft, 1.0)
    if spacing == 0:
        return float(share)
    # Stitches that are too small to see are half of a line.
    stitched = 0.5 if spacing < 2 * finest else min(max(2 * np.cos(along * 2 * np.pi / spacing), 0.0), 1.0)
    return float(share * stitched)
