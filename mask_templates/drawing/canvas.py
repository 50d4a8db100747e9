"""Drawing cloth: outlines, height fields, light, and bands, on the plane of the mean face.

Everything is given in canonical units (the distance of the outer eye corners is 1, x to the right from the
midline, y down from the eyes), so that what is drawn at a part of the face lands on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import TEMPLATE_ORIGIN, TEMPLATE_SIZE, TEMPLATE_UNIT

Plane = NDArray[np.float32]
Curve = NDArray[np.float64]

# Drawn this many times larger and scaled down at the end.
OVERSAMPLING = 2
UNIT = TEMPLATE_UNIT * OVERSAMPLING

# Light from above and in front, as under most lamps and skies: x, y, z towards the viewer.
_LIGHT = np.array([0.0, -0.42, 0.91], np.float32)
_AMBIENT = 0.30


def grid() -> tuple[Plane, Plane]:
    """X and y in canonical units of every pixel of the oversampled canvas."""
    width, height = (size * OVERSAMPLING for size in TEMPLATE_SIZE)
    x = (np.arange(width, dtype=np.float32) + 0.5) / UNIT - TEMPLATE_ORIGIN[0] / TEMPLATE_UNIT
    y = (np.arange(height, dtype=np.float32) + 0.5) / UNIT - TEMPLATE_ORIGIN[1] / TEMPLATE_UNIT
    across, down = np.meshgrid(x, y)
    return across, down


X, Y = grid()


def to_pixels(points: Curve) -> Curve:
    """Canonical (n, 2) points as pixels of the oversampled canvas."""
    return points * UNIT + np.array(TEMPLATE_ORIGIN) * OVERSAMPLING - 0.5


def smooth_curve(points: list[tuple[float, float]], steps: int = 24) -> Curve:
    """A centripetal Catmull-Rom curve through the points, which turns no corner and makes no loop."""
    p = np.array(points, dtype=np.float64)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(p, axis=0), axis=1)))])
    pieces = []
    for i in range(1, len(p) - 2):
        t = np.linspace(knots[i], knots[i + 1], steps, endpoint=False)[:, None]
        t0, t1, t2, t3 = knots[i - 1 : i + 3]
        a1 = (t1 - t) / (t1 - t0) * p[i - 1] + (t - t0) / (t1 - t0) * p[i]
        a2 = (t2 - t) / (t2 - t1) * p[i] + (t - t1) / (t2 - t1) * p[i + 1]
        a3 = (t3 - t) / (t3 - t2) * p[i + 1] + (t - t2) / (t3 - t2) * p[i + 2]
        b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
        b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
        pieces.append((t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2)
    return np.concatenate([*pieces, p[-2:-1]])


def mirrored(curve: Curve) -> Curve:
    """The curve on the other side of the midline."""
    return curve * (-1.0, 1.0)


@dataclass(frozen=True)
class Outline:
    """A symmetric cloth: its right side's upper edge, side and lower edge, each from the middle or top on."""

    top: Curve
    side: Curve
    bottom: Curve

    def polygon(self) -> Curve:
        """(n, 2) closed outline."""
        right = np.concatenate([self.top, self.side, self.bottom])
        return np.concatenate([right, mirrored(right)[::-1]])

    def filled(self) -> Plane:
        """(height, width) float32 in [0, 1]."""
        return fill(self.polygon())

    def inwards(self) -> Plane:
        """Distance from the edge inwards, in canonical units."""
        inside = (self.filled() > 0.5).astype(np.uint8)
        return cv2.distanceTransform(inside, cv2.DIST_L2, 5).astype(np.float32) / np.float32(UNIT)


def fill(polygon: Curve) -> Plane:
    """(height, width) float32 in [0, 1]: the polygon, antialiased."""
    plane = np.zeros(X.shape, np.uint8)
    cv2.fillPoly(plane, [np.round(to_pixels(polygon) * 16).astype(np.int32)], [255], cv2.LINE_AA, 4)
    return plane.astype(np.float32) / 255


def blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur, ``sigma`` in canonical units."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma * UNIT), np.float32)


def distance_to(curve: Curve) -> Plane:
    """Distance of every pixel from a curve, in canonical units."""
    plane = np.full(X.shape, 255, np.uint8)
    points = np.round(to_pixels(curve) * 16).astype(np.int32)
    cv2.polylines(plane, [points], False, [0], 1, cv2.LINE_8, 4)
    return cv2.distanceTransform(plane, cv2.DIST_L2, 5).astype(np.float32) / np.float32(UNIT)


def noise(scale: float, seed: int, stretch: float = 1.0) -> Plane:
    """Smooth normal noise with features of ``scale`` canonical units, ``stretch`` times as wide as high."""
    generator = np.random.Generator(np.random.PCG64(seed))
    height, width = X.shape
    cells = (int(height / UNIT / scale) + 4, int(width / UNIT / (scale * stretch)) + 4)
    coarse = generator.standard_normal(cells).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


def fine_noise(sigma: float, seed: int) -> Plane:
    """Noise as fine as the canvas, blurred by ``sigma`` of its pixels, of standard deviation 1."""
    generator = np.random.Generator(np.random.PCG64(seed))
    field = cv2.GaussianBlur(generator.standard_normal(X.shape).astype(np.float32), (0, 0), sigma)
    return np.asarray(field / field.std(), np.float32)


def lit(height: Plane, roughness: float = 1.0) -> Plane:
    """Brightness of a matt surface of that height (canonical units), around 1 where it faces the viewer."""
    dy, dx = np.gradient(height, 1 / UNIT)
    length = np.sqrt(dx**2 + dy**2 + 1)
    facing = np.clip((-dx * _LIGHT[0] - dy * _LIGHT[1] + _LIGHT[2]) / length, 0, 1)
    # A rounded thing is brightest where it faces the viewer, who has the room's light at the back.
    frontal = 1 / length
    flat = _LIGHT[2]
    # What lies deeper than its surroundings sees less of the sky.
    hollow = sum((blur(height, s) - height) / s for s in (0.012, 0.04))
    occlusion = np.exp(-0.55 * roughness * np.clip(hollow, 0, 2))
    return np.asarray((_AMBIENT * frontal + (1 - _AMBIENT) * facing / flat) * occlusion, np.float32)


def band(curve: Curve, width: float, color: tuple[int, int, int], *, flat: bool) -> tuple[Plane, Plane]:
    """A strap along a curve.

    Args:
        curve: Its middle line.
        width: Canonical units.
        color: BGR.
        flat: A flat band; otherwise a round cord.

    Returns:
        BGR (height, width, 3) and alpha (height, width), both float32; BGR in grey levels, alpha in [0, 1].
    """
    away = distance_to(curve)
    alpha = np.clip((width / 2 - away) * UNIT + 0.5, 0, 1)
    across = np.clip(away / (width / 2), 0, 1)
    shade = 1 - (0.14 if flat else 0.45) * across ** (4 if flat else 2)
    ribs = 1 + 0.03 * np.sin((X + Y) * 900) if flat else 1.0
    bgr = np.array(color, np.float32) * (shade * ribs)[:, :, None]
    return bgr.astype(np.float32), alpha.astype(np.float32)


def over(under: tuple[Plane, Plane], top: tuple[Plane, Plane], shadow: float = 0.0) -> tuple[Plane, Plane]:
    """One (BGR, alpha) image over another; ``shadow`` darkens the lower one beside the upper's edge."""
    color, alpha = under
    if shadow:
        near = blur(top[1], 0.012)
        color = color * (1 - shadow * np.clip(near * 1.6, 0, 1))[:, :, None]
    total = top[1] + alpha * (1 - top[1])
    mixed = top[0] * top[1][:, :, None] + color * (alpha * (1 - top[1]))[:, :, None]
    return (mixed / np.maximum(total, 1e-4)[:, :, None]).astype(np.float32), total.astype(np.float32)


def finish(picture: tuple[Plane, Plane]) -> NDArray[np.uint8]:
    """The (height, width, 4) uint8 BGRA template, straight alpha, with its colour bled past the edge."""
    color, alpha = picture
    size = TEMPLATE_SIZE
    small_alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(color * alpha[:, :, None], size, interpolation=cv2.INTER_AREA)
    straight = sums / np.maximum(small_alpha, 1e-4)[:, :, None]
    bgra = np.dstack([straight, small_alpha * 255])
    bgra[small_alpha < 0.002] = 0
    return np.clip(np.round(bgra), 0, 255).astype(np.uint8)
