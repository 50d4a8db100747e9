"""Hugging Face's `datasets` over results in which columns are missing or formats are mixed."""

import csv
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import webdataset
from PIL import Image
from small_runs import face, landmark_file, template_file, write_template
from small_tars import members

from maskgen.datasets import get_dataset
from maskgen.landmarks.landmark_file import write_landmark_file
from maskgen.options import SynthOptions
from maskgen.results.card import write_card
from maskgen.results.column_types import StableColumns
from maskgen.results.manifest import read_manifest
from maskgen.run.job import Job, run
from maskgen.verify.result import Verifier

SIZE = (120, 140)
GOOD = [f"2{number}_1_2_2017011617404852{number}.jpg.chip.jpg" for number in range(1, 7)]
# One of UTKFace's four names that lack the race.
MALFORMED = "39_1_20170116174525125.jpg.chip.jpg"
MIXED = ["1.jpg", "2.png", "3.webp", "4.gif", "5.bmp", "6.jpg", "7.png"]
TABLE = [
    ("path", "split", "identity", "age", "note_of_source"),
    *((f"{n}.jpg", "train", f"person {n}", str(n), "3") for n in range(3)),
    *((f"{n}.jpg", "test", "", "", "three") for n in range(3, 6)),
]


def mask(dataset, root, names, tmp_path, **options):
    """Writes an image for each name, and masks them all."""
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).normal(140, 12, (*SIZE[::-1], 3)).clip(0, 255)
        Image.fromarray(noise.astype(np.uint8)).save(root / name)
    ids = [name.removeprefix("UTKFace/") if dataset != "utkface" else name for name in names]
    write_landmark_file(landmark_file(root), [(name, SIZE, [face(SIZE)]) for name in ids])
    write_template(template_file(root))
    fixed = {"templates": ((str(template_file(root)), 1.0),), "landmarks": str(landmark_file(root))}
    out = root.with_name(f"{root.name}_out")
    options = {"label": None, "pairs": True, "alpha": True, "shard_size": 4, **fixed, **options}
    run(Job(SynthOptions(dataset, **options), root, out), progress=False)
    write_card(out, preview=False)
    assert [row.status for row in read_manifest(out / "manifest.jsonl")] == ["masked"] * len(names)
    assert list(Verifier(out).run()) == []
    return out


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    top = tmp_path_factory.mktemp("hugging")
    packed = {"layout": "webdataset"}
    (top / "table").mkdir()
    with (top / "table" / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows(TABLE)
    names = [f"UTKFace/{name}" for name in (*GOOD, MALFORMED)]
    images = [line[0] for line in TABLE[1:]]
    return {
        "utkface": mask("utkface", top / "utkface", names, top, label="race", **packed),
        "mixed": mask("folder", top / "mixed", MIXED, top, **packed),
        "png": mask("folder", top / "png", ["1.png", "2.png"], top, **packed),
        "mirrored": mask("utkface", top / "mirrored", names, top, label="race"),
        "splits": mask("table", top / "table", images, top, layout="folders"),
    }


PROGRAM = """
import json, sys, datasets
for given in json.loads(sys.argv[1]):
    found = datasets.load_dataset(**given)
    plain = lambda value: ["image", *value.size] if hasattr(value, "size") else value
    rows = {split: [{k: plain(v) for k, v in row.items()} for row in part] for split, part in found.items()}
    print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def loaded(results, tmp_path_factory):
    """What `load_dataset` gives: by the tars' names, by the folder, by the folders of splits."""
    if not any(metadata.distributions(name="datasets")):
        pytest.skip("needs the extra [interop]")
    calls = {}
    for name in ("utkface", "mixed", "png"):
        tars = sorted(map(str, (results[name] / "shards").glob("*.tar")))
        calls[name, "tars"] = {"path": "webdataset", "data_files": {"train": tars}}
        calls[name, "folder"] = {"path": str(results[name])}
    calls["mirrored", "folder"] = {"path": str(results["mirrored"])}
    calls["splits", "folder"] = {"path": "imagefolder", "data_dir": str(results["splits"])}
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    cache = {"HF_HOME": str(tmp_path_factory.mktemp("cache"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([*calls.values()])],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **offline, **cache},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(calls, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("how", ["tars", "folder"])
@pytest.mark.parametrize(("name", "suffix"), [("utkface", "jpg"), ("mixed", "jpg"), ("png", "png")])
def test_every_image_of_the_tars_is_loaded_with_its_row(results, loaded, name, suffix, how):
    found = loaded[name, how]["train"]
    rows = [*read_manifest(results[name] / "manifest.jsonl")]
    assert [read["json"]["id"] for read in found] == [row.id for row in rows]
    for read, row in zip(found, rows, strict=True):
        assert read[suffix] == read[f"unmasked.{suffix}"] == read["alpha.png"] == ["image", *SIZE]
        assert json.loads(read["json"]["attributes"]) == row.attributes
        assert read["json"]["label"] == (row.label or "") and read["json"]["reason"] == (row.reason or "")
        assert read["json"]["faces"][0]["coverage"] == row.faces[0].coverage


def test_a_malformed_name_lacks_its_label_and_is_there(results, loaded):
    for name, column in (("utkface", "json"), ("mirrored", None)):
        found = loaded[name, "folder"]["train"]
        last = next(read[column] if column else read for read in found if MALFORMED in str(read))
        assert len(found) == 7 and last["label"] == ("" if column else None)


def test_splits_with_other_columns_have_the_same_types(loaded):
    found = loaded["splits", "folder"]
    assert {split: len(rows) for split, rows in found.items()} == {"train": 3, "test": 3}
    values = {
        split: [(read["identity"], read["age"], read["note_of_source"]) for read in rows]
        for split, rows in found.items()
    }
    assert sorted(values["train"]) == [(f"person {n}", str(n), "3") for n in range(3)]
    assert values["test"] == [("", "", "three")] * 3


def test_the_webdataset_library_and_maskgen_read_tars_of_mixed_formats(results):
    tars = sorted(map(str, (results["mixed"] / "shards").glob("*.tar")))
    samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8"))
    assert [sample["jpg"].shape for sample in samples] == [(SIZE[1], SIZE[0], 3)] * 7
    again = [*get_dataset("webdataset").samples(results["mixed"] / "shards")]
    assert [sample.id for sample in again] == MIXED
    again = [*get_dataset("webdataset").samples(results["utkface"] / "shards")]
    for sample, row in zip(again, read_manifest(results["utkface"] / "manifest.jsonl"), strict=True):
        assert (sample.split, sample.identity, sample.attributes) == (row.split, row.identity, row.attributes)


def test_images_keep_their_format_under_the_suffix_of_the_first(results):
    out = results["mixed"]
    names = [name for tar in sorted((out / "shards").iterdir()) for name in members(Path(tar))]
    assert {name.partition(".")[2] for name in names} == {"jpg", "unmasked.jpg", "alpha.png", "json"}


def test_a_column_is_text_where_its_beginning_has_no_value():
    columns = StableColumns()
    lines = [{"late": None if number < 1000 else 5, "number": 1} for number in range(1001)]
    lines[-1]["number"] = 2.5
    for line in lines:
        columns.add("train", line)
    columns.add("test", {"late": 7, "number": None, "never": None})
    assert columns.settle(lines[0]) == {"late": "", "number": "1"}
    assert columns.settle({"late": 7, "number": None, "never": None}) == {
        "late": "7",
        "number": "",
        "never": None,
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([1, "3-5"], ["1", "3-5"]),
        ([True, None], [True, None]),
        ([["a"], "b"], ['["a"]', "b"]),
        ([None, None], [None, None]),
    ],
)
def test_a_column_has_the_type_that_holds_all_its_values(values, expected):
    columns = StableColumns()
    for value in values:
        columns.add("train", {"x": value})
    settled = [columns.settle({"x": value})["x"] for value in values]
    assert settled == expected and [*map(type, settled)] == [*map(type, expected)]
