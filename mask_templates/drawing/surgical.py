"""The pleated surgical mask."""

from __future__ import annotations

import numpy as np
from canvas import Outline, X, Y, blur, distance_to, fine_noise, lit, noise, smooth_curve
from parts import (
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

SURGICAL = Outline(
    smooth_curve(
        [(0, 0.045), (0.09, 0.062), (0.2, 0.115), (0.36, 0.165), (0.52, 0.185), (0.66, 0.225), (0.722, 0.265)]
    ),
    smooth_curve([(0.722, 0.265), (0.735, 0.4), (0.722, 0.55), (0.69, 0.7)]),
    smooth_curve(
        [(0.69, 0.7), (0.655, 0.825), (0.58, 0.94), (0.45, 1.06), (0.3, 1.155), (0.14, 1.215), (0, 1.228)]
    ),
)
# Each pleat's edge in the middle and at the side, where the seam gathers them.
_PLEATS = ((0.43, 0.40), (0.63, 0.515), (0.83, 0.63))


def surgical(color: Color, seed: int, strap: Color = (238, 238, 238)) -> Picture:
    """Three pleats, nose wire under the upper hem, welded seams, round ear loops."""
    outline = SURGICAL
    inwards = outline.inwards()
    height = dome(0.42, (0, 0.6), (0.88, 0.92)) + nose_ridge(0.075)
    spread = (np.abs(X) / 0.72) ** 2
    shade = np.ones(X.shape, np.float32)
    for middle, at_side in _PLEATS:
        line = middle + (at_side - middle) * spread + 0.006 * noise(0.25, seed + int(middle * 100))
        below = Y - line
        # A pleat is a flap: it rises slowly downwards and ends in an edge with a hollow under it.
        open_ = 0.4 + 0.6 * np.clip(spread, 0, 1)
        flap = np.exp(np.clip(below, -0.2, 0) / 0.06) * (below <= 0)
        height = height + 0.0115 * open_ * blur(flap.astype(np.float32), 0.0042)
        shade = shade * (1 - 0.26 * open_ * np.exp(-np.clip(below, 0, None) / 0.03) * (below > 0))
    height = height + 0.004 * noise(0.16, seed, 2.5) + 0.0012 * noise(0.06, seed + 1, 3)
    # Tension runs from the corners, where the loops pull.
    for corner in ((0.7, 0.3), (0.68, 0.66)):
        angle = np.arctan2(Y - corner[1], np.abs(X) - corner[0])
        height = height + 0.0032 * corner_folds(corner, 0.12) * np.sin(angle * 9 + seed)
    wire = outline.top[outline.top[:, 0] < 0.34] + (0, 0.036)
    for side in both(wire):
        height = height + 0.006 * np.exp(-((distance_to(side) / 0.011) ** 2))
    brightness = lit(height) * blur(shade.astype(np.float32), 0.002)
    welds = np.zeros(X.shape, np.float32)
    for hem in (moved(outline.top, 0.062), moved(outline.bottom, 0.045), moved(outline.side, 0.03)):
        for side in both(hem):
            welds = np.maximum(welds, dashes(side, 0.017, 0.0045))
    hem_band = np.clip((0.05 - inwards) / 0.004, 0, 1) * np.clip((0.35 - Y) / 0.05, 0, 1)
    texture = 0.018 * fine_noise(1.4, seed + 2) + 0.012 * fine_noise(4, seed + 3)
    texture = texture - 0.13 * welds + 0.03 * hem_band
    rim = 1 - 0.22 * np.exp(-inwards / 0.007)
    body = (surface_under(color, brightness * rim, texture), outline.filled())
    return assemble(ear_loops(strap, (0.7, 0.29), (0.675, 0.7), 0.017), body)
