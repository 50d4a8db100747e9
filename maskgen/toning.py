"""A layer's pixels in a photograph's light, as sharp and as grainy as it is, in one compiled loop."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.boxes import softened
from maskgen.compiled import compiled
from maskgen.records import Image

Floats = NDArray[np.float32]


@compiled
def toned(
    bgr: Image,
    alpha: Image,
    left: int,
    top: int,
    gains: Floats,
    grey: bool,
    light: Floats,
    rim_side: int,
    rim_depth: float,
    blur: float,
    each: Floats,
    common: Floats,
    seed: int,
    own: float,
    shared: float,
) -> tuple[Image, Image]:
    """The layer's colour and alpha, lit, darker at the rim, blurred and given grain, in this order.

    Args:
        bgr: (h, w, 3) uint8, the layer's colour as drawn.
        alpha: (height, width) uint8, its alpha with empty pixels around it.
        left: Columns of these before the first of ``bgr``.
        top: Rows above its first.
        gains: (3,) float32: exposure and cast.
        grey: Whether the picture is grey.
        light: (height, width) float32 gains, or (1, 1) for the same everywhere.
        rim_side: Of the box that softens the alpha to tell where the rim is.
        rim_depth: How much darker than the rest the rim is.
        blur: Standard deviation in pixels; 0 for none.
        each: (n, n, 3) float32 noise for each channel.
        common: (n, n) float32 noise for all of them.
        seed: Where in the noise the grain starts.
        own: How much of ``each`` is added, in grey levels.
        shared: How much of ``common``; neither where both are 0.
    """
    height, width = alpha.shape
    # Premultiplied, so that the nothing outside the layer does not blur into its colour.
    weighted = np.zeros((height, width, 4), np.float32)
    inner = softened(alpha, rim_side)
    rim = np.empty(256, np.float32)
    for value in range(256):
        # Half-way out of the layer the rim is as dark as it gets.
        rim[value] = 1 - rim_depth * min(2 * (1 - value / 255), 1.0)
    blue_gain, green_gain, red_gain = gains[0], gains[1], gains[2]
    even = light.shape[0] != height or light.shape[1] != width
    most, whole = np.float32(255), np.float32(1 / 255)
    for y in range(bgr.shape[0]):
        drawn, into = bgr[y], weighted[top + y, left:]
        covers, near = alpha[top + y, left:], inner[top + y, left:]
        lights = light[0] if even else light[top + y, left:]
        for x in range(len(drawn)):
            if covers[x] == 0:
                continue
            gain = rim[near[x]] * lights[0 if even else x]
            blue, green, red = np.float32(drawn[x, 0]), np.float32(drawn[x, 1]), np.float32(drawn[x, 2])
            if grey:
                blue = green = red = (
                    np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red
                )
            share = np.float32(covers[x]) * whole
            into[x, 0] = min(blue * gain * blue_gain, most) * share
            into[x, 1] = min(green * gain * green_gain, most) * share
            into[x, 2] = min(red * gain * red_gain, most) * share
            into[x, 3] = np.float32(covers[x])
    if blur > 0:
        weighted = _blurred(weighted.reshape(height, 4 * width), blur).reshape(height, width, 4)
    return _finished(weighted, grey, each, common, seed, np.float32(own), np.float32(shared))


@compiled
def _finished(
    weighted: Floats,
    grey: bool,
    each: Floats,
    common: Floats,
    seed: int,
    own: np.float32,
    shared: np.float32,
) -> tuple[Image, Image]:
    """Bytes of (height, width, 4) float32 premultiplied colour and alpha, with grain added."""
    height, width = weighted.shape[:2]
    color, soft = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    side, least, most, half = len(common), np.float32(0), np.float32(255), np.float32(0.5)
    down, across = seed % 509, seed // 509 % 503
    for y in range(height):
        row, into, covers = weighted[y], color[y], soft[y]
        noises, shares = each[(y + down) % side], common[(y + down) % side]
        place = across % side
        for x in range(width):
            place += 1
            if place >= side:
                place = 0
            over = row[x, 3]
            if over < half:
                continue
            covers[x] = np.uint8(over + half)
            straight, together = most / over, shared * shares[place]
            blue, green, red = noises[place, 0], noises[place, 1], noises[place, 2]
            if grey:
                blue = green = red = (blue + green + red) / np.float32(3)
            into[x, 0] = np.uint8(min(max(row[x, 0] * straight + together + own * blue, least), most) + half)
            into[x, 1] = np.uint8(min(max(row[x, 1] * straight + together + own * green, least), most) + half)
            into[x, 2] = np.uint8(min(max(row[x, 2] * straight + together + own * red, least), most) + half)
    return color, soft


@compiled
def _blurred(rows: Floats, sigma: float) -> Floats:
    """(height, 4 * width) float32, four values a pixel, as a lens or a smaller picture would blur them."""
    height, length = rows.shape
    reach = math.ceil(2.5 * sigma)
    kernel = np.empty(2 * reach + 1, np.float32)
    total = 0.0
    for k in range(2 * reach + 1):
        total += math.exp(-0.5 * ((k - reach) / sigma) ** 2)
    for k in range(2 * reach + 1):
        kernel[k] = math.exp(-0.5 * ((k - reach) / sigma) ** 2) / total
    result = np.empty((height, length), np.float32)
    wide = np.empty(length + 8 * reach, np.float32)
    middle = wide[4 * reach : 4 * reach + length]
    for y in range(height):
        row, factor = rows[y], kernel[reach]
        for x in range(length):
            middle[x] = factor * row[x]
        for k in range(1, reach + 1):
            above, below, factor = rows[max(y - k, 0)], rows[min(y + k, height - 1)], kernel[reach + k]
            for x in range(length):
                middle[x] += factor * (above[x] + below[x])
        for x in range(reach):
            for c in range(4):
                wide[4 * x + c] = middle[c]
                wide[4 * reach + length + 4 * x + c] = middle[length - 4 + c]
        into, factor = result[y], kernel[reach]
        for x in range(length):
            into[x] = factor * middle[x]
        for k in range(1, reach + 1):
            before, after, factor = wide[4 * (reach - k) :], wide[4 * (reach + k) :], kernel[reach + k]
            for x in range(length):
                into[x] += factor * (before[x] + after[x])
    return result


@compiled
def light_over(alpha: Image, level: Floats, across: int, down: int, step: int) -> Floats:
    """(height, width) float32 gains: the light over a layer against its mean there.

    Args:
        alpha: (height, width) uint8 of the layer.
        level: (h, w) float32: logarithm of the light in the reduced picture; beyond it as at its border.
        across: From that picture's first column to the layer's, in the image's pixels.
        down: From its first row to the layer's.
        step: The image's pixels for one of the reduced picture's.
    """
    (height, width), (rows, columns) = alpha.shape, level.shape
    first, share = np.empty(width, np.int64), np.empty(width, np.float32)
    nearest = np.empty(width, np.int64)
    for x in range(width):
        nearest[x] = min(max((x + across) // step, 0), columns - 1)
        place = min(max((x + across + 0.5) / step - 0.5, 0.0), columns - 1.0)
        first[x] = min(int(place), max(columns - 2, 0))
        share[x] = place - first[x]
    total, count = 0.0, 0
    for y in range(height):
        near, covers = level[min(max((y + down) // step, 0), rows - 1)], alpha[y]
        for x in range(width):
            if covers[x]:
                total += near[nearest[x]]
                count += 1
    mean = total / max(count, 1)
    gains = np.empty((rows, columns), np.float32)
    for y in range(rows):
        for x in range(columns):
            gains[y, x] = math.exp(level[y, x] - mean)
    result, between = np.empty((height, width), np.float32), np.zeros(columns + 1, np.float32)
    for y in range(height):
        place = min(max((y + down + 0.5) / step - 0.5, 0.0), rows - 1.0)
        above = int(place)
        below, part = min(above + 1, rows - 1), np.float32(place - above)
        for x in range(columns):
            between[x] = gains[above, x] + part * (gains[below, x] - gains[above, x])
        into = result[y]
        for x in range(width):
            before, after = between[first[x]], between[first[x] + 1]
            into[x] = before + share[x] * (after - before)
    return result
