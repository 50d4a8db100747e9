"""What ships in mask_templates/: enough of each kind, sound, on the mean face, drawn by the script there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskgen.face_mesh import ANCHORS, FACE_OVAL, TEMPLATE_UNIT, canonical_template_points
from maskgen.masking.templates.library import check_template, list_templates, load_template, template_folder
from maskgen.records import TONES

SHIPPED = [info.name for info in list_templates()]


def test_enough_templates_ship_in_every_tone_and_kind() -> None:
    known = list_templates()
    assert len(known) >= 24
    assert {info.tone for info in known} == set(TONES)
    assert {"surgical", "n95", "kn95", "ffp2", "cloth"} <= {info.kind for info in known}
    assert len([info for info in known if info.kind == "surgical"]) >= 7
    assert sum(path.stat().st_size for path in template_folder().glob("*.png")) < 20_000_000


def test_every_picture_has_its_description_and_the_reverse() -> None:
    folder = template_folder()
    assert {path.stem for path in folder.glob("*.png")} == {path.stem for path in folder.glob("*.json")}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_is_sound_and_covers_the_mean_face(name: str) -> None:
    info = next(info for info in list_templates() if info.name == name)
    assert check_template(info.path) == []
    template = load_template(name)
    assert template.bgra.shape == (info.size[1], info.size[0], 4)
    assert min(info.size) >= 512
    assert template.licence == "MIT"

    points = canonical_template_points()
    alpha = template.bgra[:, :, 3].astype(np.float32) / 255
    for anchor in ("nose_tip", "nose_base", "mouth", "left_mouth", "right_mouth", "chin", "nose_middle"):
        x, y = points[list(ANCHORS[anchor])].mean(axis=0)
        assert alpha[round(y), round(x)] > 0.99, anchor
        assert template.anchors[anchor] == pytest.approx((x, y), abs=0.01)
    for eye in ("left_eye", "right_eye"):
        x, y = points[list(ANCHORS[eye])].mean(axis=0)
        reach = round(0.1 * TEMPLATE_UNIT)
        near = alpha[max(0, round(y) - reach) : round(y) + reach, round(x) - reach : round(x) + reach]
        assert near.max() == 0, eye

    face = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(face, [np.round(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    lower = face.astype(bool)
    lower[: round(points[ANCHORS["nose_middle"][0], 1])] = False
    around = cv2.dilate(face, np.ones((145, 145), np.uint8)).astype(bool)
    assert alpha[lower].mean() >= 0.88
    assert alpha[~around].sum() <= 0.01 * alpha.sum()


def test_the_script_draws_what_ships(tmp_path: Path) -> None:
    names = ["surgical_black", "knit_black"]  # more would take the suite too long
    folder = template_folder()
    if not (folder / "draw_templates.py").is_file():
        pytest.skip("the drawing script is part of the repository, not of what is installed")
    for script in folder.glob("*.py"):
        shutil.copy(script, tmp_path)
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "draw_templates.py", *names]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, check=True)
    for name in names:
        drawn = cv2.imread(str(tmp_path / f"{name}.png"), cv2.IMREAD_UNCHANGED).astype(int)
        shipped = cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED).astype(int)
        # Other versions of numpy and OpenCV may round a pixel differently.
        assert np.abs(drawn - shipped).max() <= 3
        assert (tmp_path / f"{name}.json").read_bytes() == (folder / f"{name}.json").read_bytes()
