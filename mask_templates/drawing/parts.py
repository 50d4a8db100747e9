"""What several kinds of mask are made of: bulges, folds, welds and stitches, straps."""

from __future__ import annotations

import cv2
import numpy as np
from canvas import UNIT, Plane, X, Y, band, mirrored, over, smooth_curve, to_pixels

Color = tuple[int, int, int]
Picture = tuple[Plane, Plane]

# Where an ear loop reaches the outline of the face: upper and lower root of the ear on the mean face.
EAR_TOP, EAR_BOTTOM = (0.762, 0.11), (0.752, 0.40)


def dome(depth: float, middle: tuple[float, float], radii: tuple[float, float]) -> Plane:
    """A smooth bulge, as high as ``depth`` in its middle."""
    r2 = ((X - middle[0]) / radii[0]) ** 2 + ((Y - middle[1]) / radii[1]) ** 2
    return np.asarray(depth * np.sqrt(np.clip(1.25 - r2, 0.02, None)), np.float32)


def nose_ridge(height: float, sharpness: float = 0.09) -> Plane:
    """Cloth stretched over the nose: a ridge that widens and sinks from the bridge to the lip."""
    down = np.clip((Y - 0.02) / 0.5, 0, 1)
    width = sharpness + 0.10 * down
    rise = np.exp(-((Y - 0.26) ** 2) / 0.05)
    return np.asarray(height * rise * np.exp(-(np.abs(X) ** 1.6) / width**1.6), np.float32)


def step(at: Plane) -> Plane:
    """From 0 to 1 around 0, softly."""
    return np.asarray(0.5 + 0.5 * np.tanh(at / 2), np.float32)


def corner_folds(corner: tuple[float, float], reach: float) -> Plane:
    """How strongly folds that run into a corner show: most beside it, least in it."""
    away = np.hypot(np.abs(X) - corner[0], Y - corner[1])
    return np.asarray(np.exp(-away / reach) * np.clip(away / 0.07, 0, 1) ** 1.5, np.float32)


def dashes(curve: np.ndarray, period: float, width: float, duty: float = 0.55) -> Plane:
    """(height, width) float32 in [0, 1]: a dashed line along a curve, as a weld or a stitch leaves it."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    plane = np.zeros(X.shape, np.float32)
    for start in np.arange(0, lengths[-1] - period * duty, period):
        at = np.linspace(start, start + period * duty, 4)
        piece = np.stack([np.interp(at, lengths, curve[:, axis]) for axis in (0, 1)], axis=1)
        _stroke(plane, piece, width)
    return plane


def _stroke(plane: Plane, piece: np.ndarray, width: float) -> None:
    points = np.round(to_pixels(piece) * 16).astype(np.int32)
    cv2.polylines(plane, [points], False, [1.0], max(1, round(width * UNIT)), cv2.LINE_AA, 4)


def both(curve: np.ndarray) -> list[np.ndarray]:
    """The curve on the right and on the left."""
    return [curve, mirrored(curve)]


def moved(curve: np.ndarray, inwards: float) -> np.ndarray:
    """The curve, moved towards the middle of the mask."""
    middle = np.array([0.0, 0.66])
    away = curve - middle
    return np.asarray(middle + away * (1 - inwards / np.linalg.norm(away, axis=1, keepdims=True)))


def ear_loops(
    color: Color, top: tuple[float, float], bottom: tuple[float, float], width: float
) -> list[Picture]:
    """Both ear loops of each side: from the mask's corners along the cheek to the ear."""
    made = []
    upper = smooth_curve([top, ((top[0] + EAR_TOP[0]) / 2, (top[1] + EAR_TOP[1]) / 2 - 0.012), EAR_TOP])
    middle = ((bottom[0] + EAR_BOTTOM[0]) / 2 + 0.006, (bottom[1] + EAR_BOTTOM[1]) / 2 + 0.012)
    lower = smooth_curve([bottom, middle, EAR_BOTTOM])
    for line in (upper, lower):
        for side in both(line):
            made.append(band(side, width, color, flat=False))
    return made


def assemble(straps: list[Picture], body: Picture) -> Picture:
    """The body over its straps, with the shadow that it throws on them."""
    picture = straps[0]
    for strap in straps[1:]:
        picture = over(picture, strap)
    return over(picture, body, shadow=0.35)


def surface_under(color: Color, brightness: Plane, texture: Plane) -> Plane:
    """Colour under light; the darkest shade is tinted by the cloth rather than grey."""
    base = np.array(color, np.float32)
    shade = (brightness * (1 + texture))[:, :, None]
    # Black cloth still shows its folds, by the sheen of its fibres.
    sheen = (brightness - 1)[:, :, None] * 20 * (1 - base / 255)
    return np.clip(base * shade + sheen, 0, 255).astype(np.float32)
