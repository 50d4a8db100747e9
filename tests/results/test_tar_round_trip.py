"""Shards in again: tars give the very images that the folder they were packed from gives."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from small_runs import differing, landmark_file, masked, template_file, tree, write_dataset
from small_tars import masked_tars, pack

from maskgen.commands.shared.synth_options import synth_options
from maskgen.datasets import get_dataset
from maskgen.landmarks import LandmarkerSpec
from maskgen.options import SAMPLES_IN_TAR, SynthOptions
from maskgen.results.card import write_report
from maskgen.results.manifest import read_manifest
from maskgen.run.landmark_export import write_landmarks

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces")


def masked_rows(out):
    return [row for row in read_manifest(out / "manifest.jsonl") if row.status == "masked"]


def test_shards_of_a_folder_give_the_pictures_of_the_folder(source, tmp_path):
    pattern = pack(source, tmp_path / "shards")
    report = {"report": partial(write_report, root=source)}
    masked(source, tmp_path / "folder", pairs=True, alpha=True, running=report)
    report = {"report": partial(write_report, root=pattern), "workers": 2}
    masked_tars(source, pattern, tmp_path / "tars", pairs=True, alpha=True, running=report)
    ours, theirs = tree(tmp_path / "tars"), tree(tmp_path / "folder")
    pictures = {name for name in theirs if name.endswith((".jpg", ".png"))}
    assert len(pictures) == 3 * 8 + 1
    assert {name for name in ours if name.endswith((".jpg", ".png"))} == pictures
    assert not pictures.intersection(differing(ours, theirs))
    for one, other in zip(masked_rows(tmp_path / "tars"), masked_rows(tmp_path / "folder"), strict=True):
        assert (one.id, one.label, one.faces) == (other.id, other.label, other.faces)
    assert one.source["path"] == "000002.tar/male/007.jpg"


def test_our_own_shards_read_as_the_folder_that_they_are(source, tmp_path):
    """Masked once more, they give what the loose images give, sample for sample."""
    masked(source, tmp_path / "packed", layout="webdataset", variants=2, pairs=True, alpha=True)
    loose = tmp_path / "loose"
    masked(source, loose, variants=2)
    names = [row.file_name for row in masked_rows(loose)]
    for name in set(loose.rglob("*")) - {loose / name for name in names}:
        if name.is_file():
            name.unlink()
    landmarks = tmp_path / "landmarks.jsonl"
    lines = [json.loads(line) for line in landmark_file(source).read_text().splitlines()]
    landmarks.write_text(
        "".join(
            json.dumps({**line, "id": f"variant-{v}/{line['id']}"}) + "\n" for line in lines for v in (0, 1)
        )
    )
    again = {"landmarks": str(landmarks)}
    templates = {"templates": ((str(template_file(source)), 1.0),)}
    masked(loose, tmp_path / "folder", **again, **templates)
    masked_tars(loose, tmp_path / "packed" / "shards", tmp_path / "tars", **again, **templates)
    ours = {row.id: row for row in masked_rows(tmp_path / "tars")}
    theirs = {row.id: row for row in masked_rows(tmp_path / "folder")}
    assert sorted(ours) == sorted(theirs) == sorted(names)
    for name in names:
        assert (ours[name].sha256, ours[name].label) == (theirs[name].sha256, theirs[name].label)


def test_landmarks_of_tars_are_those_of_the_folder(tmp_path):
    folder = get_dataset("sample").ships_in
    pack(folder, tmp_path / "shards", each=2)
    for name, root in (("folder", folder), ("webdataset", tmp_path / "shards" / "*.tar")):
        found = write_landmarks(
            get_dataset(name),
            root,
            tmp_path / f"{name}.jsonl",
            options=SynthOptions(name),
            spec=LandmarkerSpec(),
            progress=False,
        )
        assert found.inputs == found.with_face == len(list(folder.glob("*.jpg")))
    assert (tmp_path / "folder.jsonl").read_bytes() == (tmp_path / "webdataset.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("layout", "given", "expected"),
    [("mirror", None, 64), ("webdataset", None, SAMPLES_IN_TAR), ("webdataset", 64, 64)],
)
def test_tars_are_larger_than_other_shards_unless_told_otherwise(layout, given, expected):
    nothing = dict.fromkeys(("color", "pattern", "template", "wear"), ())
    assert synth_options("folder", None, **nothing, layout=layout, shard_size=given).shard_size == expected


def test_the_command_takes_a_pattern_and_larger_shards_by_itself(source, tmp_path):
    pattern = pack(source, tmp_path / "shards")
    command = [
        *(sys.executable, "-m", "maskgen", "synth", "--dataset", "webdataset", "--root", str(pattern)),
        *("--landmarks", str(landmark_file(source)), "--template", str(template_file(source))),
        *("--layout", "webdataset"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "masked" / "webdataset"
    record = json.loads((out / "maskgen.json").read_text())
    assert record["options"]["shard_size"] == SAMPLES_IN_TAR
    assert f"--shard-size {SAMPLES_IN_TAR}" in record["command"]
    assert [path.name for path in (out / "shards").iterdir()] == ["000000.tar"]
    with Image.open(out / "preview.jpg") as sheet:
        sheet.load()
    before = (out / "preview.jpg").read_bytes()
    report = [sys.executable, "-m", "maskgen", "report", str(out), "--root", str(pattern)]
    assert subprocess.run(report, env=environment, capture_output=True, check=False).returncode == 0
    assert (out / "preview.jpg").read_bytes() == before
