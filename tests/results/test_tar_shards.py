"""`--layout webdataset`: what is in the tars, who can read them, and the same bytes however they are made."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import time
from functools import partial
from pathlib import Path

import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st
from small_runs import differing, landmark_file, masked, template_file, tree, write_dataset
from small_tars import members

from maskgen.files.path_text import to_text
from maskgen.images.codec import EncodedImage
from maskgen.records import Sample
from maskgen.results.card import write_report
from maskgen.results.layout import Layout
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import Members
from maskgen.run.job import merge

REPOSITORY = Path(__file__).parents[2]
EVERYTHING = {"layout": "webdataset", "variants": 2, "pairs": True, "alpha": True}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces")


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    """What one process leaves."""
    out = tmp_path_factory.mktemp("whole") / "out"
    masked(source, out, running={"report": partial(write_report, root=source)}, **EVERYTHING)
    return out


def masked_rows(out):
    return [row for row in read_manifest(out / "manifest.jsonl") if row.status == "masked"]


# What the tars hold.


def test_the_webdataset_library_reads_every_sample(whole):
    rows = {row.file_name.partition(".tar/")[2].partition(".")[0]: row for row in masked_rows(whole)}
    tars = [str(path) for path in sorted((whole / "shards").iterdir())]
    samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8"))
    assert [sample["__key__"] for sample in samples] == list(rows)
    for sample in samples:
        row = rows[sample["__key__"]]
        assert sample["json"] == json.loads(json.dumps(sample["json"]))
        assert (sample["json"]["id"], sample["json"]["variant"]) == (row.id, row.variant)
        assert sample["json"]["sha256"] == row.sha256
        for column in ("jpg", "unmasked.jpg", "alpha.png"):
            assert sample[column].shape == (row.height, row.width, 3)
            assert sample[column].dtype == "uint8"


def test_only_masked_pictures_are_in_the_tars_and_every_input_is_in_the_manifest(whole):
    rows = list(read_manifest(whole / "manifest.jsonl"))
    assert len(rows) == 20
    assert {row.status for row in rows if row.file_name is None} == {"no_face"}
    named = {
        name
        for row in masked_rows(whole)
        for name in (row.file_name, row.unmasked_file, row.faces[0].alpha_file)
    }
    named |= {f"{row.file_name.removesuffix('.jpg')}.json" for row in masked_rows(whole)}
    there = {f"shards/{tar.name}/{name}" for tar in (whole / "shards").iterdir() for name in members(tar)}
    assert there == named
    # A shard in which no face was found has no tar.
    assert sorted(tar.name for tar in (whole / "shards").iterdir()) == [f"00000{n}.tar" for n in range(3)]


def test_the_tars_hold_the_files_of_the_other_layouts(source, whole, tmp_path):
    masked(source, tmp_path / "out", variants=2, pairs=True, alpha=True)
    files = Members(whole)
    for packed, loose in zip(masked_rows(whole), masked_rows(tmp_path / "out"), strict=True):
        assert hashlib.sha256(files.read(packed.file_name)).hexdigest() == packed.sha256
        for one, other in (
            (packed.file_name, loose.file_name),
            (packed.unmasked_file, loose.unmasked_file),
            (packed.faces[0].alpha_file, loose.faces[0].alpha_file),
        ):
            assert files.read(one) == (tmp_path / "out" / other).read_bytes()


def test_owners_times_and_modes_are_fixed_and_nothing_is_compressed(whole):
    for path in (whole / "shards").iterdir():
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                assert (info.mtime, info.mode, info.uid, info.gid, info.uname, info.gname) == (
                    *(0, 0o644, 0, 0, "", ""),
                )


def test_the_card_and_the_contact_sheet_are_those_of_loose_files(source, whole, tmp_path):
    out = tmp_path / "out"
    report = partial(write_report, root=source)
    masked(source, out, variants=2, pairs=True, alpha=True, running={"report": report})
    assert (out / "preview.jpg").read_bytes() == (whole / "preview.jpg").read_bytes()
    assert "16 masked images" in (whole / "README.md").read_text()
    assert not (whole / "metadata.jsonl").exists()


# The keys.


def key(name, variants=1, variant=0):
    picture = EncodedImage(b"", ".jpg", same_format=True)
    sample = Sample(id=to_text(name), path=Path(name), relative=name)
    place = Layout("webdataset", variants).place(sample, None, variant, picture, 12).image
    assert place.startswith("shards/000012.tar/")
    return place.removeprefix("shards/000012.tar/").removesuffix(".jpg")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("img/000001.jpg", "img/000001"),
        ("img/000001.png", "img/000001~png"),
        ("img/000001.JPG", "img/000001~JPG"),
        ("Łódź/女.jpg", "Łódź/女"),
    ],
)
def test_a_key_is_the_id(name, expected):
    assert key(name) == expected
    assert key(name, 2, 1) == f"variant-1/{expected}"


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("26_1_0.jpg.chip.jpg", "26_1_0_jpg_chip~"),
        ("A. B/1.jpg", "A_ B/1~"),
        ("__meta__/1.jpg", "_meta__/1~"),
        ("a~png.jpg", "a_png~"),
        ("Jos\udce9.jpg", "Jos_E9~"),
        ("no_suffix", "no_suffix~"),
        ("x" * 250 + ".jpg", "x" * 180),
    ],
)
def test_a_key_that_cannot_be_the_id_is_marked_with_a_hash(name, beginning):
    assert key(name).startswith(beginning)
    assert "." not in key(name)
    assert all(len(os.fsencode(part)) <= 200 for part in key(name).split("/"))


parts = st.sampled_from(["a", "a.b", "a~png", "__a__", "variant-0", "a.jpg", "a.png", "a.JPG", "é", "\udce9"])


@given(st.sets(st.lists(parts, min_size=1, max_size=3).map("/".join), min_size=2, max_size=8))
def test_two_samples_never_share_a_key(names):
    keys = {key(name) for name in names} | {key(name, 2, 1) for name in names}
    assert len(keys) == 2 * len(names)
    assert not any("." in found for found in keys)


# The same bytes, and nothing left behind.


def test_processes_and_shares_leave_the_tars_of_one_run(source, whole, tmp_path):
    report = partial(write_report, root=source)
    masked(source, tmp_path / "two", running={"workers": 2, "report": report}, **EVERYTHING)
    for share in (2, 1):
        masked(source, tmp_path / "shares", running={"share": (share, 2)}, **EVERYTHING)
    merge(tmp_path / "shares", report=report)
    for out in (tmp_path / "two", tmp_path / "shares"):
        assert differing(tree(out), tree(whole)) == []


def test_a_killed_run_goes_on_to_the_same_tars(tmp_path):
    # So many that a busy machine looks before all are done.
    root = write_dataset(tmp_path / "faces", count=120)
    fixed = {"layout": "webdataset", "alpha": True, "shard_size": 6, "label": "folder"}
    masked(root, tmp_path / "whole", running={"report": partial(write_report, root=root)}, **fixed)
    out = tmp_path / "out"

    def start(jobs):
        options = [
            *("--dataset", "folder", "--root", root, "--out", out, "--landmarks", landmark_file(root)),
            *("--template", template_file(root), "--layout", "webdataset", "--alpha", "--shard-size", 6),
        ]
        command = [sys.executable, "-m", "maskgen", "synth", *map(str, options), "-q", "-j", str(jobs)]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    process = start(1)
    deadline = time.monotonic() + 60
    # Killed in a later tar, with the first one done.
    while not (list(out.glob("shards/*.tar")) and list(out.glob(".maskgen/tmp/*/shard.tar"))):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.communicate()
    again = start(2)
    assert again.wait() == 0, again.communicate()[1]
    assert differing(tree(out), tree(tmp_path / "whole")) == []


def test_overwrite_removes_the_tars_and_leaves_what_others_put_beside_them(source, tmp_path):
    out = tmp_path / "out"
    masked(source, out, **EVERYTHING)
    (out / "shards" / "notes.txt").write_text("mine")
    masked(source, out, running={"overwrite": True})
    assert [path.name for path in (out / "shards").iterdir()] == ["notes.txt"]
    assert (out / "female" / "000.jpg").is_file()


def test_a_shard_that_has_lost_its_faces_loses_its_tar(source, tmp_path):
    """As after a kill between two versions of the sources: rows of an earlier attempt name the tar."""
    out = tmp_path / "out"
    masked(source, out, **EVERYTHING)
    expected = tree(out)
    left = out / ".maskgen" / "shards" / "000003.left"
    left.write_text(json.dumps(["shards/000003.tar/gone.jpg"]))
    (out / "shards" / "000003.tar").write_bytes(b"of an earlier attempt")
    for index in (1, 3):
        (out / ".maskgen" / "shards" / f"{index:06}.json").unlink()
    masked(source, out, **EVERYTHING)
    assert differing(tree(out), expected) == []
