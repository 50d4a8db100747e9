"""`maskgen verify --labels`: rows that their own image contradicts are named, and no others."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from maskgen.__main__ import main
from maskgen.datasets.sample import SHIPS_IN
from maskgen.images.codec import decode
from maskgen.results.manifest import read_manifest
from maskgen.verify.labels import contradictions
from maskgen.verify.result import Verifier


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("labels") / "out"
    assert main(["synth", "--dataset", "sample", "--template", "surgical_blue", "--out", str(out), "-q"]) == 0
    return out


def rows(out):
    return [row for row in read_manifest(out / "manifest.jsonl") if row.file_name]


def image_of(out, row):
    return decode((out / row.file_name).read_bytes()).bgr


def test_images_that_show_what_their_rows_say(sample_run):
    assert list(Verifier(sample_run, labels=True).run()) == []


def test_an_image_without_the_mask_of_its_row(sample_run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(sample_run, out)
    row = next(row for row in rows(out) if "portrait" in row.id)
    shutil.copy(SHIPS_IN / "eileen_collins_portrait.jpg", out / row.file_name)
    findings = {(finding.kind, finding.what) for finding in Verifier(out, labels=True).run()}
    assert ("changed", "its sha256 is not the manifest's") in findings
    (what,) = (what for kind, what in findings if kind == "contradicted")
    assert what.startswith("face 0: its row says correct, and it shows no mask")


def test_a_row_of_another_place_of_the_face(sample_run):
    row = next(row for row in rows(sample_run) if "portrait" in row.id)
    image = image_of(sample_run, row)
    assert list(contradictions(row, image)) == []
    (face,) = row.faces
    nose = face.landmarks["nose_tip"][1]
    mirrored = {name: (x, 2 * nose - y) for name, (x, y) in face.landmarks.items()}
    wrong = replace(row, faces=(replace(face, landmarks=mirrored),))
    (what,) = contradictions(wrong, image)
    assert what.startswith("face 0: its eyes, nose and mouth are ")


def test_nothing_is_said_of_a_face_that_is_not_found(sample_run):
    row = rows(sample_run)[0]
    assert list(contradictions(row, np.full((row.height, row.width, 3), 128, np.uint8))) == []


def test_the_command_counts_contradictions(sample_run, capsys):
    assert main(["verify", str(sample_run), "--labels", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["contradicted"] == 0
