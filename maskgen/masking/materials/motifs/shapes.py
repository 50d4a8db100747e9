"""Outlines for scattered prints: unit polygons around (0, 0), and where to put them."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.masking.hash_random import draw_array

Points = NDArray[np.float64]


@cache
def circle(points: int = 20) -> Points:
    """(points, 2): the unit circle."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def ellipse(x: float, y: float, width: float, height: float, points: int = 16) -> Points:
    """(points, 2): an ellipse with the given centre and half axes."""
    outline: Points = circle(points) * [width, height] + [x, y]
    return outline


@cache
def star(tips: int = 5, inner: float = 0.42) -> Points:
    """(2 * tips, 2): a star whose first tip points up."""
    turn = np.linspace(0, 2 * np.pi, 2 * tips, endpoint=False) - np.pi / 2
    radius = np.where(np.arange(2 * tips) % 2 == 0, 1.0, inner)
    outline: Points = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius[:, None]
    return outline


@cache
def flower(petals: int, depth: float = 0.4, pointed: float = 1.0, points: int = 8) -> Points:
    """(petals * points, 2): a blossom; ``depth`` is how far its petals are parted, 0 to 1."""
    turn = np.linspace(0, 2 * np.pi, petals * points, endpoint=False)
    radius = 1 - depth + depth * np.abs(np.cos(petals * turn / 2)) ** pointed
    outline: Points = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius[:, None]
    return outline


@cache
def leaf(width: float = 0.3, points: int = 8) -> Points:
    """(2 * points, 2): a leaf from (0, 0) to (1, 0), pointed at both ends."""
    along = np.linspace(0, 1, points, endpoint=False)
    edge = width * np.sin(np.pi * along) * (1.15 - 0.5 * along)
    upper = np.stack([along, edge], axis=1)
    lower = np.stack([1 - along, -width * np.sin(np.pi * along) * (0.65 + 0.5 * along)], axis=1)
    return np.concatenate([upper, lower])


@cache
def paisley(points: int = 28) -> Points:
    """(points, 2): a drop with a bent tip, about 2 high, its round end at the bottom."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x, y = np.sin(turn) * np.sin(turn / 2) ** 1.6 * 0.78, np.cos(turn)
    # The tip is at y = +1 of the curve and at the top of the image.
    return np.stack([x + 0.42 * (y + 0.2).clip(0) ** 2, -y], axis=1)


@cache
def heart(points: int = 24) -> Points:
    """(points, 2): a heart."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x = np.sin(turn) ** 3
    y = (13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)) / 16
    return np.stack([x, -y], axis=1)


def place(shape: Points, centers: Points, sizes: Points | float, angles: Points | float = 0.0) -> Points:
    """(count, points, 2): one shape (points, 2) at (count, 2) centres, scaled and turned (radians)."""
    turn = np.broadcast_to(sizes * np.exp(1j * np.asarray(angles)), len(centers))
    points = _complex(shape)[None] * turn[:, None] + _complex(centers)[:, None]
    placed: Points = points.view(np.float64).reshape(len(centers), -1, 2)
    return placed


def _complex(points: Points) -> NDArray[np.complex128]:
    """(count,) x + iy of (count, 2) points: to turn is to multiply."""
    plane: NDArray[np.complex128] = np.ascontiguousarray(points, np.float64).view(np.complex128)[:, 0]
    return plane


class Scattering(NamedTuple):
    """Places on a tile: of the things, of smaller things between them, and random numbers for each."""

    size_cm: tuple[float, float]
    centers: Points  # (count, 2)
    between: Points  # (count, 2): each half a pitch to the right of its centre
    draws: Points  # (count, 4), 0 to 1


def scatter(
    pitch_cm: float, about_cm: float, jitter: float, seed: int, *names: str | int, rows_apart: float = 0.87
) -> Scattering:
    """Places in staggered rows on a tile of about the given side, moved by up to ``jitter`` pitches.

    ``rows_apart`` is in pitches: .87 for things alone; .6 if smaller things lie between those of a row.
    """
    columns = max(2, round(about_cm / pitch_cm))
    rows = 2 * max(1, round(about_cm / pitch_cm / rows_apart / 2))
    row, column = (axis.ravel() for axis in np.mgrid[0:rows, 0:columns])
    draws = draw_array(8 * len(row), seed, *names).astype(np.float64).reshape(-1, 8)
    grid = np.stack([column + 0.5 * (row % 2) + 0.25, (row + 0.5) * rows_apart], axis=1)
    centers = (grid + jitter * (2 * draws[:, 4:6] - 1)) * pitch_cm
    between = (grid + [0.5, 0.0] + 0.6 * jitter * (2 * draws[:, 6:8] - 1)) * pitch_cm
    return Scattering((columns * pitch_cm, rows * rows_apart * pitch_cm), centers, between, draws[:, :4])
