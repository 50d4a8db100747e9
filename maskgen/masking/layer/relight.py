"""Relight a layer and match its blur and noise to the photograph (one numba kernel)."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.jit import compiled
from maskgen.records import Image

Floats = NDArray[np.float32]


# Grey level from which on values are compressed, and how much: 1 over the range that is left for them.
_SHOULDER, _COMPRESSION = np.float32(212), np.float32(1 / 100)


class Appearance(NamedTuple):
    """The photograph's appearance; a named tuple, because numba supports no dataclasses.

    Attributes:
        gains: (3,) float32 BGR: exposure and colour cast.
        light: (height, width) float32 gains of the layer with its border, or (1, 1) for even light.
        edge_depth: Darkening of the layer's edge, from 0 to 1.
        blur: Standard deviation in pixels; 0 for none.
        own_grain: Standard deviation of each channel's own noise, in grey levels.
        shared_grain: Standard deviation of the noise that the channels share, in grey levels.
        seed: Selects where in the noise tiles the noise starts.
    """

    gains: Floats
    light: Floats
    edge_depth: float
    blur: float
    own_grain: float
    shared_grain: float
    seed: int


@compiled
def relit(
    bgr: Image,
    alpha: Image,
    offset: tuple[int, int],
    softened: Image,
    each: Floats,
    common: Floats,
    appearance: Appearance,
) -> tuple[Image, Image]:
    """Relight a layer, darken its edge, and match blur and grain, in this order.

    Args:
        bgr: (h, w, 3) uint8, the layer's colour as drawn.
        alpha: (height, width) uint8, its alpha with a border of empty pixels.
        offset: (x, y) of the first pixel of ``bgr`` in ``alpha``.
        softened: (height, width) uint8: the alpha, blurred; shows how near the edge is.
        each: (n, n, 3) float32 standard normal noise for each channel.
        common: (n, n) float32 standard normal noise that the channels share.
        appearance: The photograph's appearance.

    Returns:
        (height, width, 3) uint8 colour and (height, width) uint8 alpha.
    """
    height, width = alpha.shape
    # Premultiplied: otherwise the empty pixels outside the layer would blur into its colour.
    weighted = np.zeros((height, width, 4), np.float32)
    edge_gain = np.empty(256, np.float32)
    for value in range(256):
        # The edge is darkest where the blurred alpha is one half or less.
        edge_gain[value] = 1 - appearance.edge_depth * min(2 * (1 - value / 255), 1.0)
    light, (left, top) = appearance.light, offset
    blue_gain, green_gain, red_gain = appearance.gains[0], appearance.gains[1], appearance.gains[2]
    even = light.shape[0] != height or light.shape[1] != width
    whole = np.float32(1 / 255)
    for y in range(bgr.shape[0]):
        drawn, into = bgr[y], weighted[top + y, left:]
        covers, near = alpha[top + y, left:], softened[top + y, left:]
        lights = light[0] if even else light[top + y, left:]
        for x in range(len(drawn)):
            if covers[x] == 0:
                continue
            gain = edge_gain[near[x]] * lights[0 if even else x]
            blue, green, red = np.float32(drawn[x, 0]), np.float32(drawn[x, 1]), np.float32(drawn[x, 2])
            share = np.float32(covers[x]) * whole
            into[x, 0] = _exposed(blue * gain * blue_gain) * share
            into[x, 1] = _exposed(green * gain * green_gain) * share
            into[x, 2] = _exposed(red * gain * red_gain) * share
            into[x, 3] = np.float32(covers[x])
    if appearance.blur > 0:
        weighted = _gaussian_blur(weighted.reshape(height, 4 * width), appearance.blur).reshape(
            height, width, 4
        )
    own, shared = np.float32(appearance.own_grain), np.float32(appearance.shared_grain)
    return _add_noise(weighted, each, common, appearance.seed, own, shared)


@compiled
def _exposed(value: np.float32) -> np.float32:
    """A channel as cameras record it: bright values are compressed towards white before they clip."""
    if value <= _SHOULDER:
        return value
    over = (value - _SHOULDER) * _COMPRESSION
    return min(_SHOULDER + over / (np.float32(1) + over) / _COMPRESSION, np.float32(255))


@compiled
def _add_noise(
    weighted: Floats,
    each: Floats,
    common: Floats,
    seed: int,
    own: np.float32,
    shared: np.float32,
) -> tuple[Image, Image]:
    """weighted: (height, width, 4) float32 premultiplied; result: straight colour with noise, and alpha."""
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
            into[x, 0] = np.uint8(min(max(row[x, 0] * straight + together + own * blue, least), most) + half)
            into[x, 1] = np.uint8(min(max(row[x, 1] * straight + together + own * green, least), most) + half)
            into[x, 2] = np.uint8(min(max(row[x, 2] * straight + together + own * red, least), most) + half)
    return color, soft


@compiled
def _gaussian_blur(rows: Floats, sigma: float) -> Floats:
    """rows: (height, 4 * width) float32, four values a pixel; result: the same, blurred by a Gaussian."""
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
