"""How noisy a picture is and how soft its edges are: compiled loops."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maskgen.compiled import compiled
from maskgen.quick import select

Floats = NDArray[np.float32]

# Blur as wide as this is all that is told apart; beyond it everything is soft.
WIDEST = 6.0
# An edge sampled by a camera is never sharper than this, in pixels.
SHARPEST = 0.45
_CROWDING = 0.08
# From the mean absolute answer of the kernel, whose norm is 6, to the deviation of normal noise; a calm
# block's mean is a little below that of all.
_TO_DEVIATION, _CALM = math.sqrt(math.pi / 2) / 6.0 * 1.03, 0.35
_BLOCK = 8
# Grain above this is blurred before edges are sought, by this much.
_GRAINY, _SMOOTHING = 2.0, 0.7
# Slopes are counted in steps of a sixteenth of a grey level; none is steeper than half the diagonal.
_STEPS, _MOST = 16, 16 * 182
_ORDINARY, _STEEPEST = 0.96, 0.997


@compiled
def noise(plane: Floats) -> float:
    """Deviation of the noise in the calmer part of a (height, width) float32 picture, 0 below 3 x 3."""
    height, width = plane.shape
    if height < 3 or width < 3:
        return 0.0
    rows, columns = (height - 2) // _BLOCK, (width - 2) // _BLOCK
    few = rows * columns < 4
    blocks = np.zeros(max(rows * columns, 1), np.float32)
    down = np.empty(width, np.float32)
    answer = np.empty(width, np.float32)
    total = 0.0
    for y in range(1, height - 1 if few else rows * _BLOCK + 1):
        above, here, below = plane[y - 1], plane[y], plane[y + 1]
        for x in range(width):
            down[x] = above[x] - np.float32(2) * here[x] + below[x]
        for x in range(1, width - 1):
            answer[x] = abs(down[x - 1] - np.float32(2) * down[x] + down[x + 1])
        if few:
            for x in range(1, width - 1):
                total += answer[x]
            continue
        row = (y - 1) // _BLOCK * columns
        for column in range(columns):
            at = 1 + column * _BLOCK
            for k in range(at, at + _BLOCK):
                blocks[row + column] += answer[k]
    if few:
        return total / ((height - 2) * (width - 2)) * _TO_DEVIATION
    calm = select(blocks, rows * columns, int(_CALM * (rows * columns - 1)))
    return calm / (_BLOCK * _BLOCK) * _TO_DEVIATION


@compiled
def _taps(sigma: float) -> Floats:
    """The middle and one half of a Gaussian, which add up to one with the other half."""
    reach = int(4 * sigma + 0.5)
    taps = np.empty(reach + 1, np.float32)
    total = 1.0
    for k in range(1, reach + 1):
        total += 2 * math.exp(-((k / sigma) ** 2) / 2)
    for k in range(reach + 1):
        taps[k] = math.exp(-((k / sigma) ** 2) / 2) / total
    return taps


@compiled
def _down(plane: Floats, y: int, taps: Floats, line: Floats) -> None:
    """Blur a picture down its columns at one row, into ``line``, mirrored by the taps' reach at both ends."""
    height, width = plane.shape
    reach, here = len(taps) - 1, plane[y]
    middle, tap = line[reach : reach + width], taps[0]
    for x in range(width):
        middle[x] = tap * here[x]
    for k in range(1, reach + 1):
        above, below, tap = plane[_mirrored(y - k, height)], plane[_mirrored(y + k, height)], taps[k]
        for x in range(width):
            middle[x] += tap * (above[x] + below[x])
    for k in range(1, reach + 1):
        line[reach - k] = middle[_mirrored(-k, width)]
        line[reach + width - 1 + k] = middle[_mirrored(width - 1 + k, width)]


@compiled
def _across(line: Floats, x: int, taps: Floats) -> np.float32:
    """What `_down` made, blurred along the row too, at one pixel."""
    at = len(taps) - 1 + x
    value: np.float32 = taps[0] * line[at]
    for k in range(1, len(taps)):
        value += taps[k] * (line[at - k] + line[at + k])
    return value


@compiled
def blurred(plane: Floats, sigma: float) -> Floats:
    """A (height, width) float32 picture blurred by a Gaussian, mirrored at its border."""
    height, width = plane.shape
    taps = _taps(sigma)
    reach = len(taps) - 1
    made, line = np.empty((height, width), np.float32), np.empty(width + 2 * reach, np.float32)
    for y in range(height):
        _down(plane, y, taps, line)
        out, tap = made[y], taps[0]
        for x in range(width):
            out[x] = tap * line[reach + x]
        for k in range(1, reach + 1):
            before, after, tap = line[reach - k :], line[reach + k :], taps[k]
            for x in range(width):
                out[x] += tap * (before[x] + after[x])
    return made


@compiled
def _mirrored(at: int, count: int) -> int:
    """A place beyond an end, mirrored there; that end itself where too few places are left."""
    if at < 0:
        at = -at
    if at >= count:
        at = 2 * count - 2 - at
    return max(0, min(at, count - 1))


@compiled
def edge_width(grey: Floats, grain: float, again: float) -> float:
    """Blur of the sharpest edges of a (height, width) float32 picture, in pixels.

    Args:
        grey: From 0 to 255.
        grain: Its noise, in grey levels.
        again: By how much it is blurred once more to see what that takes from the edges' slopes, in pixels.
    """
    height, width = grey.shape
    if height < 3 or width < 3:
        return WIDEST
    grainy = grain > _GRAINY
    smooth = blurred(grey, _SMOOTHING) if grainy else grey
    slopes = np.zeros((height, width), np.float32)  # 0 along the border, where none is known
    steps = np.zeros(_MOST, np.int64)
    counted = 0
    for y in range(1, height - 1):
        above, here, below, out = smooth[y - 1], smooth[y], smooth[y + 1], slopes[y]
        for x in range(1, width - 1):
            across, down = here[x + 1] - here[x - 1], below[x] - above[x]
            out[x] = math.sqrt(across * across + down * down) * np.float32(0.5)
        if y % 2:
            counted += width - 2
            for x in range(1, width - 1):
                steps[max(0, min(int(out[x] * _STEPS), _MOST - 1))] += 1
    ordinary = _exceeded(steps, int(_ORDINARY * (counted - 1)))
    steepest = _exceeded(steps, int(_STEEPEST * (counted - 1)))
    # Beside a steep edge, a slope of a few grey levels is mostly their rounding.
    least = np.float32(max(ordinary, 0.4 * steepest, 3.0 * grain, 1.0))
    # Few pixels are crests, and only beside these is the blurred picture asked.
    taps = _taps(again)
    lines = np.empty((3, width + 2 * (len(taps) - 1)), np.float32)
    held = np.full(3, -1, np.int64)
    widths = np.empty((height - 2) * (width - 2), np.float32)
    found = 0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            sharp = slopes[y, x]
            if not sharp >= least:
                continue
            # Only the crest of an edge counts: beside it the blurred edge is the steeper one.
            crest = sharp + np.float32(1e-3)
            before, here, after = slopes[y - 1], slopes[y], slopes[y + 1]
            beside = max(before[x - 1], before[x], before[x + 1], here[x - 1], here[x + 1])
            if max(beside, after[x - 1], after[x], after[x + 1]) > crest:
                continue
            for row in range(y - 1, y + 2):
                if held[row % 3] != row:
                    _down(smooth, row, taps, lines[row % 3])
                    held[row % 3] = row
            above, line, below = lines[(y - 1) % 3], lines[y % 3], lines[(y + 1) % 3]
            across = _across(line, x + 1, taps) - _across(line, x - 1, taps)
            down = _across(below, x, taps) - _across(above, x, taps)
            slope = max(math.sqrt(across * across + down * down) * np.float32(0.5), np.float32(1e-3))
            ratio = max(sharp / slope, np.float32(1.0001))
            widths[found] = again / math.sqrt(ratio * ratio - 1)
            found += 1
    if found == 0:
        return WIDEST
    estimate = select(widths, found, found // 2)
    # Blurred edges run into one another and read too narrow. Measured on 50 faces blurred by known widths.
    estimate *= 1 + _CROWDING * max(0.0, estimate - 1.5)
    smoothing = _SMOOTHING * _SMOOTHING if grainy else 0.0
    return min(max(math.sqrt(max(estimate * estimate - smoothing, 0.0)), SHARPEST), WIDEST)


@compiled
def _exceeded(steps: NDArray[np.int64], place: int) -> float:
    """The slope that stands at ``place`` among those counted in ``steps``, in grey levels."""
    at, below = 0, steps[0]
    while below <= place and at < _MOST - 1:
        at += 1
        below += steps[at]
    return (at + 0.5) / _STEPS


@compiled
def look_closely(
    image: NDArray[np.uint8],
    near: tuple[int, int, int, int],
    far: tuple[int, int, int, int],
    soft: float,
    patience: float,
) -> tuple[float, float, float]:
    """Blur, grain and colour grain of a part of an image, or of a larger part the blur where that is soft.

    Args:
        image: (height, width, 3) uint8 BGR.
        near: (left, top, right, bottom) of the part.
        far: Of the larger part.
        soft: Blur from which on the larger part is asked.
        patience: By how much its edges are blurred once more.
    """
    left, top, right, bottom = near
    grey = np.empty((bottom - top, right - left), np.float32)
    opposed = np.empty((bottom - top, right - left), np.float32)
    for y in range(top, bottom):
        for x in range(left, right):
            b, g, r = np.int32(image[y, x, 0]), np.int32(image[y, x, 1]), np.int32(image[y, x, 2])
            grey[y - top, x - left] = (3735 * b + 19235 * g + 9798 * r + 16384) >> 15
            opposed[y - top, x - left] = r - b
    # Rounding to whole grey levels is no grain.
    grain = math.sqrt(max(noise(grey) ** 2 - 1 / 12, 0.0))
    blur = edge_width(grey, grain, 1.0)
    if blur > soft:
        left, top, right, bottom = far
        face = np.empty((bottom - top, right - left), np.float32)
        for y in range(top, bottom):
            for x in range(left, right):
                face[y - top, x - left] = (
                    np.float32(0.114) * image[y, x, 0]
                    + np.float32(0.587) * image[y, x, 1]
                    + np.float32(0.299) * image[y, x, 2]
                )
        blur = edge_width(face, grain, patience)
    return blur, grain, noise(opposed)
