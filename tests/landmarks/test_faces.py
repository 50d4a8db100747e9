"""How many of real datasets' faces are found; runs where MASKGEN_FACES names a folder of them."""

import os
from pathlib import Path

import cv2
import pytest

FACES = Path(os.environ.get("MASKGEN_FACES") or "nowhere")

pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="MASKGEN_FACES names no folder")


@pytest.mark.parametrize(
    ("pattern", "at_least", "of"),
    [
        ("celeba/img_align_celeba/*.jpg", 100, 100),
        ("lfw/lfw-deepfunneled/*/*.jpg", 104, 104),
        ("adience/faces/*/*.jpg", 42, 42),
        ("utkface/UTKFace/*.jpg", 120, 120),
        ("fairface/train/*.jpg", 98, 100),
        ("fairface/val/*.jpg", 100, 119),
        ("in_the_wild/*.jpg", 30, 30),
        ("aflw2000/*.jpg", 16, 16),
    ],
)
def test_faces_are_found(litert, pattern, at_least, of):
    paths = sorted(FACES.glob(pattern))
    assert len(paths) == of
    missed = [path.name for path in paths if not litert.find(cv2.imread(str(path)))]
    assert of - len(missed) >= at_least, missed
