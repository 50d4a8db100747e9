"""Filtering half masks: the N95 cup, the vertically folded KN95, the three-panel FFP2."""

from __future__ import annotations

import numpy as np
from canvas import Outline, X, Y, band, blur, distance_to, fine_noise, lit, noise, over, smooth_curve
from parts import (
    Color,
    Picture,
    assemble,
    both,
    dashes,
    dome,
    ear_loops,
    moved,
    nose_ridge,
    step,
    surface_under,
)

N95 = Outline(
    smooth_curve([(0, 0.02), (0.1, 0.045), (0.22, 0.12), (0.38, 0.18), (0.54, 0.225), (0.65, 0.29)]),
    smooth_curve([(0.65, 0.29), (0.715, 0.4), (0.725, 0.55), (0.69, 0.72)]),
    smooth_curve([(0.69, 0.72), (0.6, 0.91), (0.44, 1.08), (0.24, 1.2), (0, 1.24)]),
)


def n95(color: Color, seed: int, strap: Color = (120, 205, 235), valve: bool = False) -> Picture:
    """A moulded cup with a sealing flange, a metal nose clip, two head straps a side, perhaps a valve."""
    outline = N95
    inwards = outline.inwards()
    height = dome(0.6, (0, 0.58), (0.86, 0.84)) + nose_ridge(0.05, 0.12)
    flange = step((inwards - 0.055) / 0.008)
    height = height + 0.012 * flange
    for at, depth in ((0.44, 0.006), (0.78, 0.006)):
        height = height - depth * np.exp(-(((Y - at - 0.12 * (X / 0.7) ** 2) / 0.012) ** 2)) * (
            inwards > 0.07
        )
    height = height + 0.0005 * noise(0.05, seed) + 0.003 * noise(0.2, seed + 5)
    brightness = lit(height, 1.3)
    edge = dashes(moved(outline.bottom, 0.03), 0.013, 0.006)
    for line in (moved(outline.top, 0.03), moved(outline.side, 0.03), moved(outline.bottom, 0.03)):
        for side in both(line):
            edge = np.maximum(edge, dashes(side, 0.013, 0.006))
    texture = 0.02 * fine_noise(1.6, seed + 1) + 0.014 * fine_noise(5, seed + 2) - 0.08 * edge
    color_plane = surface_under(color, brightness * (1 - 0.2 * np.exp(-inwards / 0.006)), texture)
    body = (color_plane, outline.filled())
    clip_line = smooth_curve([(-0.2, 0.16), (-0.1, 0.105), (0, 0.088), (0.1, 0.105), (0.2, 0.16)])
    body = over(body, band(clip_line, 0.036, (176, 176, 172), flat=True), shadow=0.25)
    body = (body[0], outline.filled())
    if valve:
        body = _with_valve(body, (0.235, 0.77))
    straps = []
    for start, end in (((0.6, 0.34), (0.765, 0.08)), ((0.64, 0.74), (0.757, 0.43))):
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        for side in both(smooth_curve([start, middle, end])):
            straps.append(band(side, 0.036, strap, flat=True))
    return assemble(straps, body)


def _with_valve(body: Picture, at: tuple[float, float]) -> Picture:
    around = np.hypot((X - at[0]) * 1.05, Y - at[1])
    height = 0.03 * step((0.135 - around) / 0.009) - 0.011 * step((0.1 - around) / 0.004)
    slots = (np.abs((Y - at[1]) % 0.046 - 0.023) < 0.010) & (around < 0.088)
    height = height - 0.015 * blur(slots.astype(np.float32), 0.002)
    color = surface_under((214, 214, 212), lit(height.astype(np.float32), 0.8), 0.006 * fine_noise(2, 9))
    alpha = np.clip((0.142 - around) * 600, 0, 1)
    made = over(body, (color, alpha.astype(np.float32)), shadow=0.3)
    return made[0], body[1]


KN95 = Outline(
    smooth_curve([(0, -0.005), (0.07, 0.045), (0.2, 0.12), (0.38, 0.175), (0.56, 0.205), (0.705, 0.25)]),
    smooth_curve([(0.705, 0.25), (0.738, 0.33), (0.742, 0.45), (0.715, 0.6)]),
    smooth_curve([(0.715, 0.6), (0.655, 0.81), (0.52, 0.99), (0.34, 1.14), (0.15, 1.235), (0, 1.262)]),
)


def kn95(color: Color, seed: int, strap: Color = (240, 240, 240)) -> Picture:
    """Two flat panels that meet in a ridge down the middle, welded edges, wide ear loops."""
    outline = KN95
    inwards = outline.inwards()
    ridge = -0.42 * np.abs(X) ** 1.25 - 0.16 * (Y - 0.6) ** 2
    height = (ridge + 0.012 * np.exp(-np.abs(X) / 0.012)).astype(np.float32)
    height = height + 0.0035 * noise(0.25, seed) + 0.0005 * noise(0.05, seed + 1)
    # The panels dent beside the ridge where the mask is folded flat in its bag.
    height = height - 0.012 * np.exp(-(((np.abs(X) - 0.3 - 0.1 * (Y - 0.6)) / 0.05) ** 2)) * np.clip(
        (inwards - 0.06) / 0.12, 0, 1
    )
    brightness = lit(blur(height, 0.003))
    brightness = brightness * (1.05 - 0.16 * np.clip(np.abs(X) / 0.75, 0, 1) ** 1.5)
    welds = np.zeros(X.shape, np.float32)
    middle = np.stack([np.zeros(60), np.linspace(0.03, 1.23, 60)], axis=1)
    for shift in (-0.017, 0.017):
        welds = np.maximum(welds, dashes(middle + np.array([shift, 0]), 0.02, 0.008))
    for line in (outline.top, outline.side, outline.bottom):
        for depth in (0.02, 0.036):
            for side in both(moved(line, depth)):
                welds = np.maximum(welds, dashes(side, 0.02, 0.0055))
    texture = 0.014 * fine_noise(1.5, seed + 2) + 0.012 * fine_noise(5, seed + 3) - 0.1 * welds
    seam = 1 - 0.25 * np.exp(-np.abs(X) / 0.0025)
    rim = 1 - 0.2 * np.exp(-inwards / 0.006)
    body = (surface_under(color, brightness * seam * rim, texture), outline.filled())
    return assemble(ear_loops(strap, (0.69, 0.30), (0.67, 0.62), 0.024), body)


FFP2 = Outline(
    smooth_curve([(0, 0.03), (0.1, 0.055), (0.24, 0.12), (0.42, 0.17), (0.58, 0.21), (0.7, 0.28)]),
    smooth_curve([(0.7, 0.28), (0.735, 0.38), (0.735, 0.5), (0.71, 0.62)]),
    smooth_curve([(0.71, 0.62), (0.66, 0.8), (0.55, 0.96), (0.38, 1.11), (0.19, 1.21), (0, 1.24)]),
)


def ffp2(color: Color, seed: int, strap: Color = (235, 235, 235)) -> Picture:
    """Three panels, as a fish is folded: the middle one stands out, two welded seams cross the face."""
    outline = FFP2
    inwards = outline.inwards()
    upper = 0.36 + 0.02 * np.cos(X * 3) + 0.10 * (X / 0.72) ** 2
    lower = 0.87 - 0.26 * (X / 0.72) ** 2
    height = dome(0.46, (0, 0.6), (0.88, 0.88)) + nose_ridge(0.07)
    panel = step((Y - upper) / 0.02) * step((lower - Y) / 0.02)
    height = height + 0.045 * panel + 0.004 * noise(0.16, seed, 2) + 0.0005 * noise(0.05, seed + 1)
    seams = np.exp(-(((Y - upper) / 0.007) ** 2)) + np.exp(-(((Y - lower) / 0.007) ** 2))
    height = height - 0.006 * seams * (inwards > 0.02)
    welds = np.zeros(X.shape, np.float32)
    for line in (outline.top, outline.side, outline.bottom):
        for side in both(moved(line, 0.028)):
            welds = np.maximum(welds, dashes(side, 0.016, 0.006))
    stitched = (np.sin(X * 380) > 0) * seams
    texture = (
        0.016 * fine_noise(1.5, seed + 2) + 0.012 * fine_noise(5, seed + 3) - 0.1 * welds - 0.08 * stitched
    )
    rim = 1 - 0.2 * np.exp(-inwards / 0.006)
    body = (
        surface_under(color, lit(height.astype(np.float32)) * rim, texture.astype(np.float32)),
        outline.filled(),
    )
    clip_line = smooth_curve([(-0.19, 0.17), (-0.1, 0.122), (0, 0.108), (0.1, 0.122), (0.19, 0.17)])
    wire = 1 + 0.06 * np.exp(-((distance_to(clip_line) / 0.014) ** 2))
    body = (np.clip(body[0] * wire[:, :, None], 0, 255).astype(np.float32), body[1])
    return assemble(ear_loops(strap, (0.69, 0.31), (0.68, 0.64), 0.022), body)
