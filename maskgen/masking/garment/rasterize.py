"""Rasterise a grid of points in space: its window in the image, and the nearest surface in each pixel."""

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import bounds
from maskgen.jit import compiled

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


def window_around(
    points: Array, image_size_wh: tuple[int, int], margin: int = 1
) -> tuple[int, int, int, int] | None:
    """The whole-pixel (x, y, width, height) around (n, 2) points, cut to the image; None if it is outside."""
    if not len(points):
        return None
    left, top, right, bottom = bounds(points)
    x0, y0 = max(math.floor(left) - margin, 0), max(math.floor(top) - margin, 0)
    x1 = min(math.ceil(right) + margin + 1, image_size_wh[0])
    y1 = min(math.ceil(bottom) + margin + 1, image_size_wh[1])
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


@compiled
def rasterize(
    points: Array, used: NDArray[np.bool_], carried: Floats, window: tuple[int, int, int, int], nowhere: float
) -> Floats:
    """Draw the quads of a grid, each as two triangles; a quad seen from behind is not drawn.

    Args:
        points: (n, m, 3) x and y in pixels of the image, and depth, smaller is nearer.
        used: (n, m): a quad is drawn if one of its corners is used.
        carried: (n, m, k) values of the points, interpolated linearly.
        window: (x, y, width, height) of the result in the image.
        nowhere: The first value of pixels in which nothing is drawn.

    Returns:
        (k, height, width) float32 values at the pixels' centres.
    """
    left, top, width, height = window
    count = carried.shape[2]
    values = np.zeros((count, height, width), np.float32)
    values[0] = nowhere
    depth = np.full((height, width), np.inf, np.float32)
    for row in range(points.shape[0] - 1):
        for column in range(points.shape[1] - 1):
            if not (
                used[row, column]
                or used[row, column + 1]
                or used[row + 1, column]
                or used[row + 1, column + 1]
            ):
                continue
            for half in range(2):
                # Corners so that a triangle seen from outside has a positive area.
                r0, c0 = row + half, column + half
                r1, c1 = row + half, column + 1 - half
                r2, c2 = row + 1 - half, column + half
                ax, ay = points[r0, c0, 0] - left, points[r0, c0, 1] - top
                bx, by = points[r1, c1, 0] - left, points[r1, c1, 1] - top
                cx, cy = points[r2, c2, 0] - left, points[r2, c2, 1] - top
                area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
                if area <= 1e-9:
                    continue
                share = 1 / area
                # Shares of the second and the third corner, which are linear in x and y.
                second_x, second_y = (cy - ay) * share, -(cx - ax) * share
                third_x, third_y = -(by - ay) * share, (bx - ax) * share
                z, z_second, z_third = points[r0, c0, 2], points[r1, c1, 2], points[r2, c2, 2]
                z_second, z_third = z_second - z, z_third - z
                first, to_second, to_third = carried[r0, c0], carried[r1, c1], carried[r2, c2]
                x0 = max(int(np.ceil(min(ax, bx, cx))), 0)
                x1 = min(int(np.floor(max(ax, bx, cx))), width - 1)
                y0 = max(int(np.ceil(min(ay, by, cy))), 0)
                y1 = min(int(np.floor(max(ay, by, cy))), height - 1)
                for y in range(y0, y1 + 1):
                    second_here = (y - ay) * second_y - ax * second_x
                    third_here = (y - ay) * third_y - ax * third_x
                    for x in range(x0, x1 + 1):
                        second, third = second_here + x * second_x, third_here + x * third_x
                        if second < -1e-9 or third < -1e-9 or second + third > 1 + 1e-9:
                            continue
                        near = np.float32(z + second * z_second + third * z_third)
                        if near >= depth[y, x]:
                            continue
                        depth[y, x] = near
                        for k in range(count):
                            values[k, y, x] = (
                                first[k]
                                + second * (to_second[k] - first[k])
                                + third * (to_third[k] - first[k])
                            )
    return values
