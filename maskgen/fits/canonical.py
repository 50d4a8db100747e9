"""The mean frontal face mesh, and template space, which is drawn on it.

Template space is the plane of the mean face: a template that maskgen draws shows each part of a mask
where the part lies on that face. `TEMPLATE_UNIT` pixels are one distance of the outer eye corners.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TEMPLATE_SIZE = (1024, 896)
TEMPLATE_UNIT = 600.0
TEMPLATE_ORIGIN = (512.0, 100.0)


@cache
def canonical_face() -> NDArray[np.float64]:
    """(468, 3) float64: the mean frontal face; how it was computed is written in its file.

    Units of the outer-eye-corner distance, origin midway between those corners, y down, z into the head.
    """
    stored = json.loads((Path(__file__).parent / "canonical_face.json").read_text(encoding="utf-8"))
    points = np.array(stored["points"], dtype=np.float64)
    points.setflags(write=False)
    return points


@cache
def canonical_template_points() -> NDArray[np.float64]:
    """(468, 2) float64: the mean face's points in pixels of template space."""
    points = canonical_face()[:, :2] * TEMPLATE_UNIT + TEMPLATE_ORIGIN
    points.setflags(write=False)
    return points
