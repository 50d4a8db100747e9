"""Which meshes are believed: those that could be a face, whatever its pose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_faces import mean_face

from maskgen.face_mesh import canonical_face
from maskgen.landmarks import plausibility

SIZE = (400, 400)


def points(**placed):
    return mean_face(size=SIZE, **placed).points.astype(np.float64)


def refusal(mesh):
    return plausibility.refusal(plausibility.shape_of(mesh, SIZE))


@given(
    yaw=st.floats(-65, 65),
    pitch=st.floats(-45, 45),
    roll=st.floats(-180, 180),
    eyes=st.floats(8, 120),
    widen=st.floats(0.8, 1.25),
)
def test_a_face_in_any_pose_is_accepted(yaw, pitch, roll, eyes, widen):
    mesh = points(yaw=yaw, pitch=pitch, roll=roll, eye_distance=eyes, center=(200, 200), widen=widen)
    assert refusal(mesh) is None


def _eyes_under_mouth(mesh):
    changed = mesh.copy()
    for eye, mouth in ((33, 61), (263, 291), (133, 61), (362, 291)):
        changed[[eye, mouth]] = changed[[mouth, eye]]
    return changed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p * np.nan, "not a number"),
        (lambda p: p * 0 + 200, "eyes are less than"),
        (lambda p: (p - 200) * 0.03 + 200, "eyes are less than"),
        (lambda p: p - (-350, 0, 0), "is in the image"),
        (lambda p: p - (0, 600, 0), "is in the image"),
        (lambda p: (p - (200, 160, 0)) * (1, 1, -1) + (200, 160, 0), "proportions|inside out"),
        (lambda p: (p - (200, 160, 0)) * (-1, 1, 1) + (200, 160, 0), "proportions|inside out"),
        (lambda p: (p - (200, 160, 0)) * (2.2, 1, 1) + (200, 160, 0), "proportions"),
        (lambda p: (p - (200, 160, 0)) * (1, 0.2, 1) + (200, 160, 0), "proportions"),
        (lambda p: (p - (200, 160, 0)) * (1, 1, 4) + (200, 160, 0), "proportions"),
        (lambda p: p[np.random.default_rng(0).permutation(468)], "proportions|inside out"),
        (_eyes_under_mouth, "proportions|inside out"),
    ],
    ids=[
        "nan",
        "all in one point",
        "tiny",
        "right of the image",
        "above the image",
        "nose pointing inwards",
        "mirrored",
        "wide",
        "flat",
        "deep",
        "shuffled",
        "eyes under the mouth",
    ],
)
def test_what_cannot_be_a_face_is_refused_with_its_reason(change, reason):
    reasons = refusal(change(points(eye_distance=80)))
    assert reasons is not None
    assert any(part in reasons for part in reason.split("|"))


@pytest.mark.parametrize(
    ("placed", "doubtful"),
    [
        ({}, False),
        ({"yaw": 50}, False),
        ({"roll": 20}, False),
        ({"roll": 90}, True),
        ({"roll": 180}, True),
        ({"eye_distance": 20}, True),
    ],
)
def test_small_and_rolled_faces_need_a_second_look(placed, doubtful):
    assert plausibility.doubtful(plausibility.shape_of(points(**placed), SIZE), SIZE) is doubtful


@given(yaw=st.floats(-60, 60), pitch=st.floats(-40, 40), roll=st.floats(-170, 170))
def test_the_shape_is_compared_by_the_best_turn(yaw, pitch, roll):
    mesh = points(yaw=yaw, pitch=pitch, roll=roll) + np.random.default_rng(0).normal(0, 3, (468, 3))
    shape = plausibility.shape_of(mesh, SIZE)
    # Kabsch's solution by singular values, reflections excluded.
    mean = canonical_face()[plausibility.COMPARED_POINTS]
    mean = mean - mean.mean(axis=0)
    compared = mesh[plausibility.COMPARED_POINTS]
    found = compared - compared.mean(axis=0)
    u, values, v = np.linalg.svd(mean.T @ found)
    signs = np.array((1.0, 1.0, np.linalg.det(u @ v)))
    turn, scale = (u * signs) @ v, (values * signs).sum() / (mean**2).sum()
    misfit = np.sqrt(((found - mean @ turn * scale) ** 2).sum() / len(mean)) / scale
    assert (shape.misfit, shape.facing) == pytest.approx((misfit, turn[2, 2]), abs=1e-9)


@given(yaw=st.floats(-60, 60), roll=st.floats(-90, 90), shift=st.floats(0, 30))
def test_disagreement_is_the_shift_in_eye_distances(yaw, roll, shift):
    one = points(yaw=yaw, roll=roll)
    assert plausibility.disagreement(one, one - (-shift, 0, 0)) == pytest.approx(shift / 100, abs=1e-3)


@given(yaw=st.floats(-60, 60), pitch=st.floats(-30, 30))
def test_the_same_face_found_in_the_mirror_image_agrees(yaw, pitch):
    one = points(yaw=yaw, pitch=pitch)
    # The mirror image shows a face turned the other way; its points are mirrored back.
    found = points(yaw=-yaw, pitch=pitch, center=(199, 160))
    assert plausibility.mirrored_disagreement(one, found * (-1, 1, 1) + (399, 0, 0)) < 0.01
    assert plausibility.mirrored_disagreement(one, one) > 0.3
