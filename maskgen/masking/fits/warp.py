"""Rendering a template through an inverse map: the last step that all fits share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Image, Layer

# Up to this alpha the straight colour cannot be recovered from premultiplied bytes, and does not show.
_INVISIBLE = 2

# The first and third byte of a pixel, the others, and half of what the weights of four pixels are together.
_EVEN, _ODD = np.uint32(0x00FF00FF), np.uint32(0xFF00FF00)
_HALVES, _EIGHT = np.uint32(0x00800080), np.uint32(8)


def window_around(
    points: NDArray[np.float64], image_size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The whole-pixel rectangle (x, y, width, height) around (n, 2) points, cut to the image.

    None if nothing of it lies in the image.
    """
    return window_of((*points.min(axis=0).tolist(), *points.max(axis=0).tolist()), image_size)


def window_of(
    extent: tuple[float, float, float, float], image_size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """`window_around` points of which the least x and y and the greatest are known."""
    x0, y0 = max(math.floor(extent[0]) - 1, 0), max(math.floor(extent[1]) - 1, 0)
    x1, y1 = min(math.ceil(extent[2]) + 2, image_size[0]), min(math.ceil(extent[3]) + 2, image_size[1])
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def warp_template(
    levels: Sequence[Image],
    map_x: NDArray[np.float32],
    map_y: NDArray[np.float32],
    minification: float,
    origin: tuple[int, int],
    limit: Image | None = None,
) -> Layer:
    """Sample a template's pyramid through a dense inverse map.

    Args:
        levels: Premultiplied BGRA uint8 images; each is half the size of the one before.
        map_x: (height, width) float32, for each layer pixel its x in pixels of ``levels[0]``.
        map_y: Likewise y.
        minification: Template pixels for one image pixel; picks the level, so that a small face shows
            a filtered template instead of every tenth of its pixels.
        origin: Where the layer's top left pixel lies in the image.
        limit: (height, width) uint8 that the alpha may not exceed.

    Returns:
        The layer, with straight colour, cut to the smallest rectangle that holds its alpha; an empty one is
        one pixel.
    """
    level = min(max(math.floor(math.log2(max(minification, 1.0)) + 0.35), 0), len(levels) - 1)
    texels = levels[level]
    if min(texels.shape[:2]) < 2:  # the loop looks at two by two
        texels = np.pad(texels, ((0, 1), (0, 1), (0, 0)))
    if limit is None:
        limit = np.full(map_x.shape, 255, np.uint8)
    bgr, alpha = np.zeros((*map_x.shape, 3), np.uint8), np.zeros(map_x.shape, np.uint8)
    left, top, right, bottom = _straight(_sampled(texels, map_x, map_y, 0.5**level), limit, bgr, alpha)
    part = slice(top, bottom), slice(left, right)
    return Layer(
        np.ascontiguousarray(bgr[part]),
        np.ascontiguousarray(alpha[part]),
        (origin[0] + left, origin[1] + top),
    )


@compiled
def _sampled(
    texels: Image, map_x: NDArray[np.float32], map_y: NDArray[np.float32], scale: float
) -> NDArray[np.uint32]:
    """(height, width) uint32: premultiplied BGRA, blue in the lowest byte.

    Args:
        texels: (n, m, 4) uint8 premultiplied BGRA, of two pixels or more a side; around it there is nothing.
        map_x: (height, width) float32: for each pixel its x in pixels of an image 1/``scale`` the size.
        map_y: Likewise y.
        scale: 1 or less.
    """
    height, width = map_x.shape
    rows, columns = texels.shape[0], texels.shape[1]
    pixels = texels.reshape(-1).view(np.uint32)
    factor, zero, one = np.float32(scale), np.float32(0), np.float32(1)
    # Pixel centres are at whole numbers: pixel 0 of a halved image covers pixels 0 and 1 of the full one.
    shift = np.float32((scale - 1) / 2)
    last_x, last_y = np.float32(columns - 1 - 1 / 256), np.float32(rows - 1 - 1 / 256)
    # A row is gone through thrice, and only the second time pixel by pixel.
    place, share, shown = np.empty(width, np.int32), np.empty(width, np.int32), np.empty(width, np.float32)
    corners, sampled = np.empty((4, width), np.uint32), np.empty((height, width), np.uint32)
    first, second, third, fourth = corners[0], corners[1], corners[2], corners[3]
    for row in range(height):
        row_x, row_y, mixed = map_x[row], map_y[row], sampled[row]
        for column in range(width):
            x, y = row_x[column] * factor + shift, row_y[column] * factor + shift
            in_x = x if x > zero else zero
            in_x = in_x if in_x < last_x else last_x
            in_y = y if y > zero else zero
            in_y = in_y if in_y < last_y else last_y
            # Beyond its border the image ends within a pixel.
            beyond = abs(x - in_x) if abs(x - in_x) > abs(y - in_y) else abs(y - in_y)
            shown[column] = one - beyond
            fixed_x, fixed_y = np.int32(in_x * np.float32(256)), np.int32(in_y * np.float32(256))
            place[column] = (fixed_y >> 8) * columns + (fixed_x >> 8)
            share[column] = (fixed_y & 255) << 8 | fixed_x & 255
        for column in range(width):
            at = np.uint64(place[column])
            first[column], second[column] = pixels[at], pixels[at + np.uint64(1)]
            third[column] = pixels[at + np.uint64(columns)]
            fourth[column] = pixels[at + np.uint64(columns + 1)]
        for column in range(width):
            across, down = np.uint32(share[column] & 255), np.uint32(share[column] >> 8)
            share_4 = np.uint32(np.uint32(across * down + np.uint32(128)) >> _EIGHT)
            share_2, share_3 = np.uint32(across - share_4), np.uint32(down - share_4)
            share_1 = np.uint32(np.uint32(256) - across - share_3)
            a, b, c, d = first[column], second[column], third[column], fourth[column]
            # Two channels at once, of 16 bits each: what weighs 256 in all fits in.
            even = np.uint32(
                np.uint32(np.uint32(a & _EVEN) * share_1)
                + np.uint32(np.uint32(b & _EVEN) * share_2)
                + np.uint32(np.uint32(c & _EVEN) * share_3)
                + np.uint32(np.uint32(d & _EVEN) * share_4)
                + _HALVES
            )
            odd = np.uint32(
                np.uint32(np.uint32(np.uint32(a >> _EIGHT) & _EVEN) * share_1)
                + np.uint32(np.uint32(np.uint32(b >> _EIGHT) & _EVEN) * share_2)
                + np.uint32(np.uint32(np.uint32(c >> _EIGHT) & _EVEN) * share_3)
                + np.uint32(np.uint32(np.uint32(d >> _EIGHT) & _EVEN) * share_4)
                + _HALVES
            )
            mixed[column] = np.uint32(np.uint32(np.uint32(even >> _EIGHT) & _EVEN) | np.uint32(odd & _ODD))
        for column in range(width):
            if shown[column] < one:
                pixel, part = int(mixed[column]), max(shown[column], zero)
                faded = 0
                for channel in range(4):
                    faded |= int((pixel >> 8 * channel & 255) * part) << 8 * channel
                mixed[column] = faded
    return sampled


@compiled
def _straight(
    sampled: NDArray[np.uint32], limit: Image, bgr: Image, alpha: Image
) -> tuple[int, int, int, int]:
    """Fill in straight colour and alpha; and say between which columns and rows there is any.

    Args:
        sampled: (height, width) premultiplied BGRA.
        limit: (height, width) that the alpha may not exceed.
        bgr: (height, width, 3) zeros.
        alpha: (height, width) zeros.

    Returns:
        (left, top, right, bottom) without the last two; of one pixel if there is nothing.
    """
    height, width = alpha.shape
    left, right, top, bottom = width, 0, height, 0
    for row in range(height):
        for column in range(width):
            most, pixel = int(limit[row, column]), int(sampled[row, column])
            opaque = pixel >> 24
            if most == 0 or opaque <= _INVISIBLE:
                continue
            blue, green, red = pixel & 255, pixel >> 8 & 255, pixel >> 16 & 255
            if opaque < 255:
                # Rounding may have left a colour that is one more than the alpha.
                straight, half = np.float32(255) / np.float32(opaque), np.float32(0.5)
                blue = int(min(blue, opaque) * straight + half)
                green = int(min(green, opaque) * straight + half)
                red = int(min(red, opaque) * straight + half)
            bgr[row, column, 0], bgr[row, column, 1], bgr[row, column, 2] = blue, green, red
            alpha[row, column] = min(opaque, most)
            left, right = min(left, column), max(right, column + 1)
            top, bottom = min(top, row), row + 1
    if right == 0:
        return 0, 0, 1, 1
    return left, top, right, bottom
