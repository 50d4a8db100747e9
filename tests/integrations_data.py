"""Two images with one face, and landmark files of them, for the tests of the integrations."""

import numpy as np
from small_runs import face

from maskgen.landmarks.landmark_file import write_landmark_file

SIZE = (120, 140)
IMAGE, OTHER = (
    np.random.default_rng(seed).normal(140, 12, (*SIZE[::-1], 3)).clip(0, 255).astype(np.uint8)
    for seed in (0, 1)
)
MESH = face(SIZE).points


def landmark_file_of(folder, meshes):
    """A landmark file of id -> mesh."""
    rows = [(name, SIZE, [face(SIZE)]) for name in meshes]
    write_landmark_file(folder / "faces.landmarks", rows)
    return folder / "faces.landmarks"
