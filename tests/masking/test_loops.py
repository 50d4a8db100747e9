"""Loops reach from the corners of a mask to the ears, as far as these are in view."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_faces import LIGHT, PLAIN, in_image, mean_face, worn

from maskgen.masking.garment.drape import drape
from maskgen.masking.garment.dress import dress
from maskgen.masking.templates.library import load_template


def loops_of(kind, yaw, seed=0):
    """The alpha of a mask with its loops and of one without."""
    face, plan = mean_face(yaw=yaw), worn()
    garment = dress(load_template(PLAIN[kind]), plan, face.eye_distance)
    without = replace(garment, trims=(), patches=(), loops=())
    alphas = (in_image(drape(each, face, plan, LIGHT), face) for each in (garment, without))
    return face, *alphas


@pytest.mark.parametrize("kind", ["surgical", "cloth", "kn95", "n95", "sponge"])
@pytest.mark.parametrize(("yaw", "ear"), [(-40, 454), (0, 234), (0, 454), (40, 234)])
def test_loops_reach_the_ear(kind, yaw, ear):
    face, worn_with, without = loops_of(kind, yaw)
    # The wings of a sponge mask reach it themselves.
    loop = (worn_with > 127) & ((without < 127) | (kind == "sponge"))
    rows, columns = np.nonzero(loop)
    x, y = face.points[ear, :2]
    side = columns > 200 if ear == 454 else columns < 200
    # The mesh ends before the ear, at the points of its cheekbones.
    assert np.hypot(columns[side] - x, rows[side] - y).min() < 20
    outward = columns[side].max() - x if ear == 454 else x - columns[side].min()
    assert -8 < outward < 40


@pytest.mark.parametrize(("yaw", "far"), [(-60, "left"), (60, "right")])
def test_a_loop_ends_where_the_head_turns_out_of_view(yaw, far):
    _, worn_with, without = loops_of("surgical", yaw)
    columns = np.flatnonzero(((worn_with > 127) & (without < 127)).any(axis=0))
    body = np.flatnonzero((without > 127).any(axis=0))
    assert len(columns)
    beyond = columns < body.min() - 6 if far == "left" else columns > body.max() + 6
    assert not beyond.any()


@pytest.mark.parametrize("kind", ["gaiter", "sponge"])
def test_a_mask_in_one_piece_has_no_loops(kind):
    assert np.array_equal(*loops_of(kind, 0)[1:])
