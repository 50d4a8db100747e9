"""Pleated masks: the surgical mask, and the pleated cloth mask, which is the same cut in thicker stuff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import (
    Corners,
    Field,
    area,
    blur,
    cloud,
    distance_to,
    drape,
    facets,
    fibre,
    grid,
    inner_distance,
    mirrored,
    smooth_path,
    step_up,
    wobble,
)
from .light import Piece, linear
from .straps import EAR_LOOP, both_sides

TOP: Corners = [(0.0, 0.055), (0.06, 0.062), (0.13, 0.10), (0.24, 0.165), (0.42, 0.222), (0.60, 0.268), (0.728, 0.315)]
SIDE: Corners = [(0.728, 0.315), (0.742, 0.43), (0.73, 0.57), (0.692, 0.72), (0.632, 0.868)]
BOTTOM: Corners = [(0.632, 0.868), (0.56, 0.965), (0.45, 1.06), (0.32, 1.14), (0.17, 1.20), (0.0, 1.222)]


@dataclass(frozen=True)
class Pleats:
    """Where the folds lie and how they are made.

    Attributes:
        folds: For each fold its y at the centre and at the side; the cloth below goes under it.
        depth: How far each fold stands out, in units.
        lip: Over what length the fold's edge is rounded.
        crumple: Height of the creases.
        grain: Strength of the fibre.
        hem: Width of the band around the edge.
        welded: Weld dots along the hems, as on non-woven masks; else a line of stitches.
        wire: Whether the nose wire shows.
        loop: Colour of the ear loops.
        loop_width: Their width.
    """

    folds: tuple[tuple[float, float], ...] = ((0.375, 0.46), (0.60, 0.575), (0.83, 0.69))
    depth: float = 0.016
    lip: float = 0.006
    crumple: float = 0.0045
    grain: float = 0.012
    hem: float = 0.042
    welded: bool = True
    wire: bool = True
    loop: str = "#f2f2f0"
    loop_width: float = 0.024


def _folds(pleats: Pleats, rng: np.random.Generator) -> tuple[Field, Field]:
    """Relief of the folds, and the part of each fold's cloth that is near its edge (for a soft crease light)."""
    across, down = grid()
    reach = np.clip(np.abs(across) / 0.72, 0.0, 1.15)
    sway = 0.006 * cloud(rng, 0.35)
    relief = np.zeros_like(across)
    for center, side in pleats.folds:
        tilt = rng.normal(0.0, 0.012)
        edge = center + (side - center) * reach**2.0 + sway + tilt * across
        below = (down - edge).astype(np.float32)
        depth = pleats.depth * (0.75 + 0.45 * reach)
        relief -= depth * step_up(below, 0.0, pleats.lip) * np.exp(-np.maximum(below, 0.0) / 0.075)
        relief += 0.35 * depth * np.exp(-(((below + pleats.lip) / (2.2 * pleats.lip)) ** 2))
    return relief.astype(np.float32), sway


def _weld(distance: Field, at: float, along: Field, pitch: float, size: float) -> Field:
    """Pressed dots in a row at a distance from the edge, ``along`` counting their places."""
    beat = np.abs((along / pitch) % 1.0 - 0.5) * pitch
    return np.exp(-((((distance - at) / size) ** 2) + (beat / (size * 1.15)) ** 2)).astype(np.float32)


def _hems(pleats: Pleats, inside: Field, rng: np.random.Generator) -> Field:
    """The doubled cloth along the edges, its welds or stitches, and the wire over the nose."""
    across, down = grid()
    edge = inner_distance(inside)
    top = distance_to(mirrored(smooth_path(TOP))[160:]) if False else _edge_distance(TOP)
    side = _edge_distance(SIDE)
    bottom = _edge_distance(BOTTOM)
    relief = np.zeros_like(edge)
    for distance, width in ((top, pleats.hem * 1.5), (bottom, pleats.hem), (side, pleats.hem * 0.9)):
        relief += 0.0028 * (1.0 - step_up(distance, width - 0.003, width + 0.003))
    dots = (
        ((top, across, 1.28), (bottom, across, 0.82), (side, down, 0.72), (side, down, 0.30))
        if pleats.welded
        else ((top, across, 1.3), (bottom, across, 0.8), (side, down, 0.75))
    )
    pitch, size = (0.016, 0.0034) if pleats.welded else (0.021, 0.0042)
    for distance, along, share in dots:
        relief -= 0.0035 * _weld(distance, pleats.hem * share, along, pitch, size)
    if pleats.wire:
        reach = 1.0 - step_up(np.abs(across), 0.29, 0.31)
        relief += 0.006 * np.exp(-(((top - 0.03) / 0.0095) ** 4)) * reach
    relief -= 0.004 * np.exp(-edge / 0.004)
    return relief.astype(np.float32)


def _edge_distance(corners: Corners) -> Field:
    path = smooth_path(corners)
    return np.minimum(distance_to(path), distance_to(path * (-1.0, 1.0)))


def draw(dye: str, pleats: Pleats, seed: int) -> list[Piece]:
    """A pleated mask of one colour, with its ear loops."""
    rng = np.random.default_rng(seed)
    across, down = grid()
    half = np.concatenate([smooth_path(TOP), smooth_path(SIDE), smooth_path(BOTTOM)])
    inside = area(wobble(mirrored(half), rng, 0.003))
    folds, _ = _folds(pleats, rng)
    # Creases are pulled towards the corners where the loops are fixed, and lie flat over the nose wire.
    toward_side = step_up(np.abs(across), 0.1, 0.7)
    crumple = blur(facets(rng, 150, 2.2), 0.004) * (0.45 + 0.9 * toward_side)
    crumple += 0.5 * blur(facets(rng, 900, 1.5), 0.0025)
    puckers = np.sin((down - 0.315) * 95.0 + 3.0 * cloud(rng, 0.2)) * np.exp(-((0.73 - np.abs(across)) / 0.07))
    detail = folds + pleats.crumple * crumple + 0.0018 * puckers.astype(np.float32)
    detail = detail + _hems(pleats, inside, rng)
    tint = 1.0 + pleats.grain * fibre(rng) + 0.010 * cloud(rng, 0.12)
    color = linear(dye)[None, None, :] * tint[:, :, None]
    body = Piece(inside, drape(0.07) * 0.55, detail.astype(np.float32), color.astype(np.float32), softness=0.45)
    return [*both_sides(EAR_LOOP, pleats.loop_width, pleats.loop), body]
