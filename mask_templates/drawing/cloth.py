"""Cloth masks: two sewn panels, plain or printed, and the one-piece knit."""

from __future__ import annotations

import numpy as np
from canvas import Outline, Plane, X, Y, band, fine_noise, lit, noise, smooth_curve
from parts import (
    EAR_BOTTOM,
    EAR_TOP,
    Color,
    Picture,
    assemble,
    both,
    corner_folds,
    dashes,
    dome,
    ear_loops,
    moved,
    nose_ridge,
    surface_under,
)

CLOTH = Outline(
    smooth_curve(
        [(0, 0.02), (0.08, 0.05), (0.2, 0.125), (0.36, 0.175), (0.53, 0.19), (0.67, 0.225), (0.728, 0.265)]
    ),
    smooth_curve([(0.728, 0.265), (0.752, 0.36), (0.748, 0.48), (0.722, 0.6)]),
    smooth_curve([(0.722, 0.6), (0.67, 0.8), (0.57, 0.95), (0.4, 1.1), (0.2, 1.205), (0, 1.24)]),
)


# Threads at four template pixels apart: the finest weave that scaling down does not turn into moire.
UNIT_THREADS = 2 * np.pi * 600 / 4.5


def cloth(
    color: Color | Plane, seed: int, strap: Color = (60, 60, 60), seam: bool = True, weave: float = 0.05
) -> Picture:
    """Two curved panels sewn down the middle, a stitched hem, soft folds; ``color`` may be a print."""
    outline = CLOTH
    inwards = outline.inwards()
    height = dome(0.46, (0, 0.58), (0.88, 0.9)) + nose_ridge(0.09, 0.09)
    height = height + 0.005 * noise(0.2, seed, 1.4) + 0.0015 * noise(0.08, seed + 1, 1.6)
    for corner, count, strength in (((0.73, 0.3), 9, 0.009), ((0.71, 0.6), 10, 0.008)):
        angle = np.arctan2(Y - corner[1], np.abs(X) - corner[0])
        side = np.where(X > 0, 0.0, 1.7)
        height = height + strength * corner_folds(corner, 0.2) * np.sin(angle * count + side + seed)
    # Under the cheeks and beside the mouth cloth that is a little too large falls into folds.
    fold = np.sin((Y * 9 - np.abs(X) * 7 + 0.5 * noise(0.4, seed + 4)) * 2.2)
    height = height + 0.004 * fold * np.exp(-(((np.abs(X) - 0.42) / 0.16) ** 2)) * np.clip(
        (Y - 0.35) / 0.3, 0, 1
    )
    if seam:
        height = height + 0.014 * np.exp(-np.abs(X) / 0.03) - 0.012 * np.exp(-((X / 0.004) ** 2))
    brightness = lit(height.astype(np.float32))
    threads = np.sin(X * UNIT_THREADS) * np.sin(Y * UNIT_THREADS)
    stitches = np.zeros(X.shape, np.float32)
    for line in (moved(outline.top, 0.03), moved(outline.side, 0.028), moved(outline.bottom, 0.03)):
        for side_line in both(line):
            stitches = np.maximum(stitches, dashes(side_line, 0.02, 0.0035, 0.65))
    hem = np.exp(-(((inwards - 0.034) / 0.004) ** 2))
    texture = weave * threads * 0.6 + 0.02 * fine_noise(1.5, seed + 2) - 0.12 * stitches - 0.07 * hem
    rim = 1 - 0.25 * np.exp(-inwards / 0.006)
    color_plane = dyed(color, brightness * rim, texture.astype(np.float32))
    return assemble(ear_loops(strap, (0.715, 0.31), (0.7, 0.62), 0.02), (color_plane, outline.filled()))


def fashion(color: Color, seed: int) -> Picture:
    """A one-piece mask of knitted polyurethane: smooth, close, its own loops cut from the same cloth."""
    outline = CLOTH
    inwards = outline.inwards()
    height = dome(0.46, (0, 0.58), (0.88, 0.92)) + nose_ridge(0.10, 0.08)
    height = height + 0.018 * np.exp(-np.abs(X) / 0.05) * np.clip((Y - 0.1) / 0.1, 0, 1)
    height = height + 0.004 * noise(0.25, seed) - 0.008 * np.exp(-((X / 0.004) ** 2))
    texture = 0.012 * fine_noise(1.3, seed + 2)
    rim = 1 - 0.3 * np.exp(-inwards / 0.008)
    body = (surface_under(color, lit(height.astype(np.float32)) * rim, texture), outline.filled())
    darker = tuple(round(0.9 * channel) for channel in color)
    straps = []
    for start, end in (((0.70, 0.285), EAR_TOP), ((0.70, 0.58), EAR_BOTTOM)):
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        straps += [band(side, 0.05, darker, flat=True) for side in both(smooth_curve([start, middle, end]))]
    return assemble(straps, body)


def dyed(color: Color | Plane, brightness: Plane, texture: Plane) -> Plane:
    """Cloth of one colour, or printed with an image of the canvas's size, under light."""
    if isinstance(color, tuple):
        return surface_under(color, brightness, texture)
    shade = (brightness * (1 + texture))[:, :, None]
    sheen = (brightness - 1)[:, :, None] * 20 * (1 - color / 255)
    return np.clip(color * shade + sheen, 0, 255).astype(np.float32)
