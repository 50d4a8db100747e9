"""Little drawings for children's prints: each a list of unit polygons with the number of their ink."""

import numpy as np

from maskgen.masking.materials.motifs.shapes import Points, circle, ellipse, flower, heart, leaf, place, star


def _poly(*points: tuple[float, float]) -> Points:
    return np.array(points, np.float64)


def _leaf(x: float, y: float, length: float, angle: float, width: float = 0.3) -> Points:
    placed: Points = place(leaf(width), np.array([[x, y]]), length, angle)[0]
    return placed


def _crescent() -> Points:
    outer, inner = circle(28), circle(28) * 0.8 + [0.42, -0.12]
    outside = np.linalg.norm(outer - [0.42, -0.12], axis=1) > 0.8
    inside = np.linalg.norm(inner, axis=1) < 1
    first = int(np.flatnonzero(~outside)[-1]) + 1
    arc = np.roll(outer, -first, axis=0)[: outside.sum()]
    start = int(np.flatnonzero(~inside & np.roll(inside, -1))[0]) + 1
    return np.concatenate([arc, np.roll(inner, -start, axis=0)[: inside.sum()][::-1]])


# Ink None is the cloth's own colour.
ICONS: dict[str, list[tuple[Points, int | None]]] = {
    "heart": [(heart(), 0)],
    "cat": [
        (_poly((-0.75, 0.0), (-0.72, -0.95), (-0.25, -0.5), (0.25, -0.5), (0.72, -0.95), (0.75, 0.0)), 0),
        (ellipse(0, 0.1, 0.82, 0.66), 0),
        (ellipse(-0.3, 0.0, 0.1, 0.12, 8), None),
        (ellipse(0.3, 0.0, 0.1, 0.12, 8), None),
        (_poly((-0.1, 0.24), (0.1, 0.24), (0.0, 0.36)), 1),
    ],
    "paw": [
        (ellipse(0, 0.32, 0.52, 0.42), 0),
        (ellipse(-0.66, -0.12, 0.2, 0.28, 10), 0),
        (ellipse(-0.25, -0.52, 0.2, 0.3, 10), 0),
        (ellipse(0.25, -0.52, 0.2, 0.3, 10), 0),
        (ellipse(0.66, -0.12, 0.2, 0.28, 10), 0),
    ],
    "cherry": [
        (_poly((-0.4, 0.4), (0.1, -0.8), (0.18, -0.8), (-0.3, 0.4)), 1),
        (_poly((0.38, 0.5), (0.1, -0.8), (0.18, -0.8), (0.48, 0.5)), 1),
        (_leaf(0.14, -0.76, 0.8, 0.15), 1),
        (ellipse(-0.42, 0.45, 0.42, 0.4), 0),
        (ellipse(0.45, 0.55, 0.42, 0.4), 0),
        (ellipse(-0.56, 0.32, 0.1, 0.1, 8), None),
        (ellipse(0.32, 0.42, 0.1, 0.1, 8), None),
    ],
    "avocado": [
        (
            np.concatenate(
                [ellipse(0, 0.25, 0.72, 0.72, 24)[:13], [(-0.42, -0.6), (0.0, -0.98), (0.42, -0.6)]]
            ),
            1,
        ),
        (
            np.concatenate(
                [ellipse(0, 0.26, 0.58, 0.58, 24)[:13], [(-0.3, -0.52), (0.0, -0.8), (0.3, -0.52)]]
            ),
            None,
        ),
        (ellipse(0, 0.32, 0.32, 0.32), 0),
    ],
    "bolt": [(_poly((0.15, -1), (-0.6, 0.15), (-0.08, 0.15), (-0.25, 1), (0.6, -0.25), (0.06, -0.25)), 0)],
    "moon": [(_crescent(), 0)],
    "cloud": [
        (ellipse(-0.5, 0.15, 0.45, 0.36), 0),
        (ellipse(0.0, -0.1, 0.52, 0.5), 0),
        (ellipse(0.5, 0.15, 0.48, 0.36), 0),
        (_poly((-0.5, 0.1), (0.5, 0.1), (0.5, 0.5), (-0.5, 0.5)), 0),
    ],
    "cactus": [
        (ellipse(0, -0.1, 0.28, 0.82), 0),
        (ellipse(-0.55, -0.1, 0.15, 0.34), 0),
        (ellipse(0.55, -0.25, 0.15, 0.34), 0),
        (_poly((-0.65, 0.05), (0.0, 0.2), (0.0, 0.42), (-0.5, 0.3)), 0),
        (_poly((0.65, -0.1), (0.0, 0.1), (0.0, 0.3), (0.5, 0.15)), 0),
        (_poly((-0.5, 0.55), (0.5, 0.55), (0.36, 1.0), (-0.36, 1.0)), 1),
    ],
    "anchor": [
        (_poly((-0.08, -0.6), (0.08, -0.6), (0.08, 0.9), (-0.08, 0.9)), 0),
        (_poly((-0.4, -0.42), (0.4, -0.42), (0.4, -0.28), (-0.4, -0.28)), 0),
        (ellipse(0, -0.76, 0.2, 0.2), 0),
        (ellipse(0, -0.76, 0.09, 0.09, 8), None),
        (
            _poly(
                (-0.8, 0.25),
                (-0.52, 0.55),
                (0, 0.76),
                (0.52, 0.55),
                (0.8, 0.25),
                (0.72, 0.72),
                (0, 1.0),
                (-0.72, 0.72),
            ),
            0,
        ),
    ],
    "fish": [
        (ellipse(-0.12, 0, 0.7, 0.42), 0),
        (_poly((0.4, 0.0), (0.95, -0.42), (0.8, 0.0), (0.95, 0.42)), 0),
        (ellipse(-0.48, -0.1, 0.09, 0.09, 8), None),
        (_leaf(-0.15, -0.1, 0.4, 0.5), 1),
    ],
    "daisy": [(flower(8, 0.45), 0), (circle(14) * 0.32, 1)],
    "sprig": [
        (_leaf(0, 0.9, 1.7, -1.57, 0.12), 0),
        (_leaf(0, 0.45, 0.8, -0.6), 0),
        (_leaf(0, 0.45, 0.8, -2.5), 0),
        (_leaf(0, 0.0, 0.7, -0.7), 0),
        (_leaf(0, 0.0, 0.7, -2.4), 0),
    ],
    "star": [(star(5, 0.5), 0)],
    "mushroom": [
        (_poly((-0.22, 0.1), (0.22, 0.1), (0.3, 0.9), (-0.3, 0.9)), None),
        (np.concatenate([ellipse(0, 0.15, 0.85, 0.85, 24)[12:], [(0.85, 0.15)]]), 0),
        (ellipse(-0.35, -0.2, 0.14, 0.14, 8), None),
        (ellipse(0.3, -0.3, 0.16, 0.16, 8), None),
        (ellipse(0.0, -0.02, 0.1, 0.1, 8), None),
    ],
    "bone": [
        (_poly((-0.5, -0.16), (0.5, -0.16), (0.5, 0.16), (-0.5, 0.16)), 0),
        (ellipse(-0.6, -0.2, 0.24, 0.22, 10), 0),
        (ellipse(-0.6, 0.2, 0.24, 0.22, 10), 0),
        (ellipse(0.6, -0.2, 0.24, 0.22, 10), 0),
        (ellipse(0.6, 0.2, 0.24, 0.22, 10), 0),
    ],
}
