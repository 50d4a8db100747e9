"""Per-pixel weights of a face's skin, and the light, colours and tones of the image (three numba kernels)."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import FACE_OVAL
from maskgen.jit import compiled
from maskgen.masking.kernels.planes import Outlines
from maskgen.masking.kernels.quickselect import select

Floats = NDArray[np.float32]

# Outlines in the face mesh that are not skin: both eyes with their brows, the lips, the nostrils.
_NOT_SKIN = (
    (70, 63, 105, 66, 107, 133, 155, 145, 163, 33),
    (300, 293, 334, 296, 336, 362, 382, 374, 390, 263),
    (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),
    (98, 97, 2, 326, 327, 4),
)
_OUTLINES = Outlines(FACE_OVAL, *_NOT_SKIN)

# Scales of the red-green and blue-yellow axes of a logarithmic BGR colour: a pixel one spread away from the
# skin's median has a weight of about one half.
RED_SPREAD, BLUE_SPREAD = np.float32(0.32), np.float32(0.5)
# Regularisation: keeps the fitted slope flat where few pixels determine it.
_FLAT = 1e-3
_STRANGE = 0.2  # weight below which a pixel is hardly skin
# Nor is a brighter pixel skin that has less than this share of the skin's colour, if the skin has at least so
# much colour, in spreads.
_NEAR_GREY, _COLORED = 0.4, 0.6
# Computed in 64 bits and then rounded: numpy's 32-bit logarithms differ in the last bit between processors.
_LOGARITHM = np.log1p(np.arange(256.0)).astype(np.float32)
_THIRD = np.float32(1 / 3)
# Histogram of the light: bins per natural logarithm, and bins in all.
_STEPS, _MOST = 512, 2900
_BRIGHT = 0.99
_TONES = 32  # bins of grey levels in which a toned image has one colour each
_CLIPPED = 224  # channel value from which a colour is unclear


class Summary(NamedTuple):
    """What an image shows of its light; a named tuple, because numba supports no dataclasses.

    Attributes:
        skin: (3,) float64: the skin's mean logarithms of BGR + 1.
        edges: (3,) float64: the mean steps of B, G and R between neighbours, whose mean is the light's colour
            (van de Weijer, Gevers and Gijsenij, "Edge-based color constancy", 2007).
        bright: The mean logarithm of BGR + 1 that a hundredth of the pixels exceeds.
        strange: Pixels inside the face that are hardly skin.
        tones: (32, 3) float64: pixels of each 32nd of the grey levels, their mean R - G and B - G.
        off_tone: Mean deviation of the pixels that are not clipped from these means, in grey levels.
        toned: The mean of these means' sizes, in grey levels.
        luminance: The pixels' mean luminance, in grey levels.
    """

    skin: NDArray[np.float64]
    edges: NDArray[np.float64]
    bright: float
    strange: int
    tones: NDArray[np.float64]
    off_tone: float
    toned: float
    luminance: float


def skin_weights(
    bgr: NDArray[np.uint8], points: Floats, corner: tuple[int, int], step: int
) -> tuple[Floats, Summary]:
    """Weight each pixel by its likelihood of being skin, and summarise the image.

    Args:
        bgr: (height, width, 3) uint8, a downscaled part of an image.
        points: (468, 3) float32: the face mesh, in pixels of the image.
        corner: (x, y) of the part, in pixels of the image.
        step: Image pixels for one of the part's.

    Returns:
        weighted: (height, width, 4) float32: natural logarithms of BGR + 1 times the weight, and the weight.
        summary: The image's light and colours.
    """
    face = np.zeros(bgr.shape[:2], np.uint8)
    oval, *others = _OUTLINES.place(points, corner, step)
    cv2.fillPoly(face, [oval], [1])
    cv2.fillPoly(face, others, [0])
    return _weights_and_summary(bgr, face)


@compiled
def _weights_and_summary(bgr: NDArray[np.uint8], face: NDArray[np.uint8]) -> tuple[Floats, Summary]:
    """bgr: (height, width, 3); face: (height, width), nonzero where skin may be; result: `skin_weights`."""
    height, width = bgr.shape[:2]
    weighted = np.empty((height, width, 4), np.float32)
    inside = 0
    steps = np.zeros(_MOST, np.int64)
    planes = np.empty((3, height * width), np.float32)
    light, red, blue = planes[0], planes[1], planes[2]
    for y in range(height):
        for x in range(width):
            b, g, r = bgr[y, x, 0], bgr[y, x, 1], bgr[y, x, 2]
            log_b, log_g, log_r = _LOGARITHM[b], _LOGARITHM[g], _LOGARITHM[r]
            level = (log_b + log_g + log_r) * _THIRD
            steps[int(level * _STEPS)] += 1
            weighted[y, x, 0], weighted[y, x, 1], weighted[y, x, 2] = log_b, log_g, log_r
            weighted[y, x, 3] = 0
            if face[y, x]:
                light[inside] = level
                red[inside] = (log_r - log_g) / RED_SPREAD
                blue[inside] = (log_b - np.float32(0.5) * (log_g + log_r)) / BLUE_SPREAD
                inside += 1
    below, at = steps[0], 0
    while below <= int(_BRIGHT * (height * width - 1)):
        at += 1
        below += steps[at]
    strange = _weigh(face, light, red, blue, inside, weighted)
    total = sum_b = sum_g = sum_r = 0.0
    for y in range(height):
        for x in range(width):
            weight = weighted[y, x, 3]
            b, g, r = weighted[y, x, 0] * weight, weighted[y, x, 1] * weight, weighted[y, x, 2] * weight
            weighted[y, x, 0], weighted[y, x, 1], weighted[y, x, 2] = b, g, r
            total += weight
            sum_b += b
            sum_g += g
            sum_r += r
    skin = np.array([sum_b, sum_g, sum_r]) / max(total, 1e-6)
    edges, tones, off_tone, toned, luminance = _colors(bgr)
    return weighted, Summary(skin, edges, (at + 0.5) / _STEPS, strange, tones, off_tone, toned, luminance)


@compiled
def _colors(
    bgr: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float, float]:
    """bgr: (height, width, 3); result: edges, tones, off_tone, toned and luminance of `Summary`."""
    height, width = bgr.shape[:2]
    sums, edges = np.zeros((_TONES, 3), np.int64), np.zeros(3, np.int64)
    luminance, off, clear = np.int64(0), 0.0, 0
    for y in range(height):
        row, next_row = bgr[y], bgr[min(y + 1, height - 1)]
        for x in range(width):
            beside = min(x + 1, width - 1)
            b, g, r = np.int64(row[x, 0]), np.int64(row[x, 1]), np.int64(row[x, 2])
            level = (29 * b + 150 * g + 77 * r) >> 8
            luminance += level
            tone = sums[level * _TONES >> 8]
            tone[0] += 1
            tone[1] += r - g
            tone[2] += b - g
            edges[0] += abs(b - row[beside, 0]) + abs(b - next_row[x, 0])
            edges[1] += abs(g - row[beside, 1]) + abs(g - next_row[x, 1])
            edges[2] += abs(r - row[beside, 2]) + abs(r - next_row[x, 2])
    tones = sums.astype(np.float64)
    toned = 0.0
    for tone in tones:
        toned += abs(tone[1]) + abs(tone[2])
        tone[1:] /= max(tone[0], 1)
    for y in range(height):
        for x in range(width):
            b, g, r = np.int64(bgr[y, x, 0]), np.int64(bgr[y, x, 1]), np.int64(bgr[y, x, 2])
            if max(b, g, r) < _CLIPPED:
                tone = tones[((29 * b + 150 * g + 77 * r) >> 8) * _TONES >> 8]
                off += abs(r - g - tone[1]) + abs(b - g - tone[2])
                clear += 1
    pixels = height * width
    return edges / float(pixels), tones, off / max(clear, 1), toned / pixels, float(luminance) / pixels


@compiled
def _weigh(
    face: NDArray[np.uint8], light: Floats, red: Floats, blue: Floats, inside: int, weighted: Floats
) -> int:
    """Write weighted[:, :, 3] and count the pixels of the face that are hardly skin.

    face: (height, width), nonzero where skin may be; light, red, blue: (inside or more,) float32 of these
    pixels in row order: brightness, red-green and blue-yellow; weighted: (height, width, 4).
    """
    height, width = face.shape
    if inside == 0:
        weighted[:, :, 3] = 1
        return 0
    order = np.empty(inside, np.float32)
    for k in range(inside):
        order[k] = red[k]
    usual_red = np.float32(select(order, inside, inside // 2))
    for k in range(inside):
        order[k] = blue[k]
    usual_blue = np.float32(select(order, inside, inside // 2))
    chroma = usual_red**2 + usual_blue**2
    grey = _NEAR_GREY**2 * chroma if chroma > _COLORED**2 else 0.0
    # Brightness is compared to a plane fitted over the face, not to one level: the shaded side is skin too.
    # The fit weights pixels by colour alone.
    n = s_x = s_y = s_xx = s_xy = s_yy = 0.0
    s_l = s_lx = s_ly = 0.0
    k = 0
    for row in range(height):
        for column in range(width):
            if face[row, column]:
                near_grey = red[k] ** 2 + blue[k] ** 2 < grey
                strange = (red[k] - usual_red) ** 2 + (blue[k] - usual_blue) ** 2
                blue[k] = np.float32(near_grey)
                red[k] = strange
                weight = 1 / (1 + strange * strange)
                x, y, lit = column / width, row / height, light[k]
                n += weight
                s_x += weight * x
                s_y += weight * y
                s_xx += weight * x * x
                s_xy += weight * x * y
                s_yy += weight * y * y
                s_l += weight * lit
                s_lx += weight * lit * x
                s_ly += weight * lit * y
                k += 1
    # The normal equations of light = level + across * x + down * y, with the level eliminated first.
    n = max(n, 1e-9)
    a = s_xx - s_x * s_x / n + inside * _FLAT
    b = s_xy - s_x * s_y / n
    c = s_yy - s_y * s_y / n + inside * _FLAT
    p, q = s_lx - s_l * s_x / n, s_ly - s_l * s_y / n
    across, down = (p * c - q * b) / (a * c - b * b), (q * a - p * b) / (a * c - b * b)
    level = (s_l - across * s_x - down * s_y) / n
    hardly = k = 0
    for row in range(height):
        for column in range(width):
            if face[row, column]:
                off = light[k] - np.float32(level + across * (column / width) + down * (row / height))
                far = off * off + red[k]
                trust = 1 / (1 + far * far)
                weighted[row, column, 3] = trust
                hardly += (trust < _STRANGE) | ((blue[k] > 0) & (off > 0))
                k += 1
    return hardly
