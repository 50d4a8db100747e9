"""Which faces are masked: those of ``--faces``, without the ones whose row would not say what is shown."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_faces import mean_face

from maskgen.options import SynthOptions
from maskgen.records import Outcome
from maskgen.run.face_choice import choose


def face(mask_score=0.0, **where):
    return replace(mean_face(**where), mask_score=mask_score)


BARE, WORN, TINY = face(0.02), face(0.97), face(0.97, eye_distance=5.0)


@pytest.mark.parametrize(
    ("masked_faces", "faces", "kept", "status", "note"),
    [
        ("skip", [BARE], 1, None, None),
        ("skip", [WORN], 0, "already_masked", None),
        ("skip", [BARE, WORN], 1, None, "left alone: the face wears a mask already"),
        ("skip", [TINY], 1, None, None),
        ("skip", [face(None)], 1, None, None),
        ("skip", [], 0, None, None),
        ("mask", [WORN], 1, None, None),
        ("flag", [WORN], 1, None, "the face wears a mask already"),
        ("flag", [BARE], 1, None, None),
    ],
)
def test_faces_that_wear_a_mask(masked_faces, faces, kept, status, note):
    choice = choose(faces, SynthOptions("", faces="all", masked_faces=masked_faces))
    assert len(choice.faces) == kept
    assert getattr(choice.refusal, "status", None) == status
    assert choice.note is None if note is None else choice.note.startswith(note)


@pytest.mark.parametrize(
    ("scores", "keep_unsure", "status", "note"),
    [
        ((0.9, 0.1), False, None, None),
        ((None, None), False, None, None),
        ((0.2, 0.1), False, "unsure", None),
        ((0.2, 0.1), True, None, "unsure: the landmarks do not look right (mesh_score 0.2)"),
        ((0.2, 0.8), False, "already_masked", None),
    ],
)
def test_faces_whose_mesh_does_not_look_right(scores, keep_unsure, status, note):
    one = replace(mean_face(), mesh_score=scores[0], mask_score=scores[1])
    choice = choose([one], SynthOptions("", keep_unsure=keep_unsure))
    assert getattr(choice.refusal, "status", None) == status
    assert choice.note == note


def test_the_largest_face_is_chosen_before_it_is_judged():
    assert choose([WORN, BARE], SynthOptions("")).refusal.status == "already_masked"
    assert choose([BARE, WORN], SynthOptions("")).faces == [BARE]


def test_a_note_is_the_reason_of_a_masked_image_only():
    choice = choose([WORN], SynthOptions("", masked_faces="flag"))
    image = np.zeros((2, 2, 3), np.uint8)
    assert "0.97" in choice.noted(Outcome("masked", None, image, image[..., 0])).reason
    assert choice.noted(Outcome("too_small", "small")).reason == "small"
