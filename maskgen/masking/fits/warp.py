"""Warp a template into image space by an inverse map: the last step of each fit."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Image, Layer

# Greatest alpha that is treated as transparent: its straight colour cannot be recovered.
_INVISIBLE = 2

# Masks of a pixel's first and third byte and of the others; half of the sum of the weights, in both halves.
_EVEN, _ODD = np.uint32(0x00FF00FF), np.uint32(0xFF00FF00)
_HALVES, _EIGHT = np.uint32(0x00800080), np.uint32(8)


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
        map_y: (height, width) float32, its y.
        minification: Template pixels per image pixel; selects the level, as in mipmapping.
        origin: (x, y) of the layer's top left pixel in the image.
        limit: (height, width) uint8 upper bound of the alpha.

    Returns:
        The layer, with straight colour, cut to the smallest rectangle that holds its alpha; an empty one is
        one pixel.
    """
    level = min(max(math.floor(math.log2(max(minification, 1.0)) + 0.35), 0), len(levels) - 1)
    texels = levels[level]
    if min(texels.shape[:2]) < 2:  # the kernel reads two by two texels
        texels = np.pad(texels, ((0, 1), (0, 1), (0, 0)))
    if limit is None:
        limit = np.full(map_x.shape, 255, np.uint8)
    bgr, alpha = np.zeros((*map_x.shape, 3), np.uint8), np.zeros(map_x.shape, np.uint8)
    left, top, right, bottom = _unpremultiply(_sample(texels, map_x, map_y, 0.5**level), limit, bgr, alpha)
    part, corner = (slice(top, bottom), slice(left, right)), (origin[0] + left, origin[1] + top)
    return Layer(np.ascontiguousarray(bgr[part]), np.ascontiguousarray(alpha[part]), corner)


@compiled
def _sample(
    texels: Image, map_x: NDArray[np.float32], map_y: NDArray[np.float32], scale: float
) -> NDArray[np.uint32]:
    """Bilinear interpolation in fixed point; outside the texels there is nothing.

    texels: (n, m, 4) premultiplied BGRA, at least 2 x 2; map_x, map_y: (height, width) in pixels of an image
    1/``scale`` the size; result: (height, width) uint32 BGRA, blue in the lowest byte.
    """
    height, width = map_x.shape
    rows, columns = texels.shape[0], texels.shape[1]
    pixels = texels.reshape(-1).view(np.uint32)
    factor, zero, one = np.float32(scale), np.float32(0), np.float32(1)
    # Pixel centres are at whole numbers: pixel 0 of a halved image covers pixels 0 and 1 of the full image.
    shift = np.float32((scale - 1) / 2)
    last_x, last_y = np.float32(columns - 1 - 1 / 256), np.float32(rows - 1 - 1 / 256)
    # Separate passes per row vectorise; only the second one, the gather, is scalar.
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
            # Beyond its border the image fades out within a pixel.
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
            # Two channels at once, in 16 bits each: the weights sum to 256.
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
def _unpremultiply(
    sampled: NDArray[np.uint32], limit: Image, bgr: Image, alpha: Image
) -> tuple[int, int, int, int]:
    """sampled, limit: (height, width), limit is the alpha's upper bound; bgr, alpha: zeros, written.

    Returns: (left, top, right, bottom) of the visible part, right and bottom exclusive; one pixel if empty.
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
                # Rounding can leave a colour one above the alpha.
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
