"""The manifest's lines, the run record, and the metadata for Hugging Face."""

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.records import FaceRecord, ManifestRow
from maskgen.results import manifest
from maskgen.results.huggingface import write_metadata
from maskgen.results.manifest import read_manifest, row_from_json, row_to_json
from maskgen.results.run_record import differences, fingerprint, run_record

FACE = FaceRecord(
    box=(10, 12, 80, 90),
    mask_box=(12, 50, 70, 60),
    pose={"yaw": -3.1, "pitch": 0.0, "roll": 12.5},
    landmarks={"chin": (40.25, 99.0), "nose_tip": (41.5, 60.13)},
    detection="as-is",
    template="surgical_blue",
    template_sha256="ab" * 32,
    kind="surgical",
    tone="light",
    color=None,
    pattern=None,
    fit="half-split",
    blend="poisson",
    wear="correct",
    wear_agrees=True,
    tries=1,
    occluded=0.0,
    coverage={"nose": 0.987, "mouth": 1.0, "chin": 0.9, "lower_face": 0.912},
)
ROW = ManifestRow(
    id="a/1.jpg",
    variant=0,
    status="masked",
    reason=None,
    file_name="a/1.jpg",
    sha256="cd" * 32,
    width=178,
    height=218,
    label="male",
    split="train",
    identity="12",
    attributes={"gender": "male", "age": 31},
    source={"dataset": "celeba", "path": "a/1.jpg", "sha256": "ef" * 32},
    faces=(FACE,),
    seed=7,
)
MISSED = dataclasses.replace(ROW, status="no_face", file_name=None, sha256=None, faces=(), reason="no face")


def with_rows(folder: Path, *rows: ManifestRow) -> Path:
    (folder / "manifest.jsonl").write_text("".join(row_to_json(row) + "\n" for row in rows), "utf-8")
    return folder


def test_fields_stand_in_the_documented_order():
    values = json.loads(row_to_json(ROW))
    assert list(values) == [
        *("schema", "id", "variant", "status", "reason", "file_name", "sha256", "width", "height", "label"),
        *("split", "identity", "attributes", "source", "faces", "seed", "unmasked_file"),
    ]
    assert set(values) == {field.name for field in dataclasses.fields(ManifestRow)}
    assert list(values["faces"][0])[:4] == ["box", "mask_box", "pose", "landmarks"]
    assert values["schema"] == manifest.SCHEMA


def test_numbers_are_rounded_and_never_nan():
    face = dataclasses.replace(
        FACE,
        coverage={"nose": 1 / 3, "mouth": math.nan},
        landmarks={"chin": (1 / 3, -0.0001)},
        pose={"yaw": -0.04},
    )
    row = dataclasses.replace(ROW, faces=(face,), attributes={"age": math.nan, "scores": [1.5, math.inf]})
    values = json.loads(row_to_json(row), parse_constant=pytest.fail)
    assert values["faces"][0]["coverage"] == {"nose": 0.333, "mouth": None}
    assert values["faces"][0]["landmarks"] == {"chin": [0.33, 0.0]}
    assert str(values["faces"][0]["landmarks"]["chin"][1]) == "0.0"
    assert str(values["faces"][0]["pose"]["yaw"]) == "0.0"
    assert values["attributes"] == {"age": None, "scores": [1.5, None]}


@pytest.mark.parametrize("row", [ROW, MISSED, dataclasses.replace(ROW, faces=(FACE, FACE), split=None)])
def test_rows_come_back_as_they_were(row):
    assert row_from_json(row_to_json(row)) == row


texts = st.text(st.characters(exclude_categories=[]), max_size=12)


@settings(max_examples=200)
@given(
    name=texts,
    reason=st.none() | texts,
    attributes=st.dictionaries(texts, st.none() | st.booleans() | st.integers() | st.floats() | texts),
    x=st.floats(-1e4, 1e4, width=32),
)
def test_any_row_is_one_line_of_utf8_and_reading_it_changes_nothing(name, reason, attributes, x):
    face = dataclasses.replace(FACE, landmarks={"chin": (x, 1.0)})
    row = dataclasses.replace(ROW, id=name, reason=reason, attributes=attributes, faces=(face,))
    line = row_to_json(row)
    assert len(line.encode().decode().splitlines()) == 1
    again = row_from_json(line)
    assert row_to_json(again) == line
    assert again.faces[0].landmarks["chin"][0] == pytest.approx(x, abs=0.006)


def test_undecodable_names_are_written_with_percent_signs():
    row = dataclasses.replace(ROW, identity="Jos\udce9")
    assert row_from_json(row_to_json(row)).identity == "Jos%E9"


def test_text_is_readable_without_escapes():
    assert "Łódź 陳" in row_to_json(dataclasses.replace(ROW, identity="Łódź 陳"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "not a row of a manifest"),
        ("[1]", "not a row of a manifest"),
        ('{"schema": 1}', "not a row of a manifest"),
        (row_to_json(ROW)[:-20], "not a row of a manifest"),
        (row_to_json(ROW).replace('"seed"', '"sead"'), "sead"),
        (row_to_json(ROW).replace('"schema": 1', '"schema": 99'), "schema 99"),
        ("\udcff", "can't decode|not UTF-8|codec"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, message):
    path = tmp_path / "manifest.jsonl"
    lines = f"{row_to_json(ROW)}\n{line}\n{row_to_json(ROW)}\n"
    path.write_bytes(lines.encode("utf-8", "surrogateescape"))
    rows = read_manifest(path)
    assert next(rows) == ROW
    with pytest.raises(ConfigurationError, match=message) as caught:
        next(rows)
    assert f"{path}, line 2: " in str(caught.value)


def test_a_manifest_that_is_not_there(tmp_path):
    with pytest.raises(MissingDataError, match=r"manifest\.jsonl is not there"):
        next(read_manifest(tmp_path / "manifest.jsonl"))


def test_the_fingerprint_knows_values_and_not_their_order():
    assert fingerprint({"a": 1, "b": (2, 3)}) == fingerprint({"b": [2, 3], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert len(fingerprint({})) == 64


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": (1, 2)}, {"a": [1, 2]}, []),
        ({"blend": "overlay"}, {"blend": "poisson"}, ['blend was "overlay", now "poisson"']),
        ({"a": None}, {}, ["a was null, now not there"]),
        ({}, {"new": True}, ["new was not there, now true"]),
        (
            {"versions": {"numpy": "1", "cv2": "4"}, "seed": 1},
            {"versions": {"numpy": "2", "cv2": "4"}, "seed": 0},
            ["seed was 1, now 0", 'versions.numpy was "1", now "2"'],
        ),
    ],
)
def test_differences_name_what_changed(old, new, expected):
    assert differences(old, new) == expected


def test_the_run_record_says_how_to_make_the_result_again():
    facts = {
        "command": "maskgen synth --dataset lfw",
        "options": {"blend": "overlay", "seed": 3},
        "seed": 3,
        "templates": {"b": "2", "a": "1"},
        "counts": {"masked": 5},
        "source": {"title": "LFW"},
    }
    record = run_record(**facts)
    assert list(record["templates"]) == ["a", "b"]
    assert record["fingerprint"] == fingerprint(facts["options"])
    assert set(record["versions"]) == {
        *("maskgen", "python", "numpy", "opencv", "litert", "pillow", "scipy"),
    }
    assert record["versions"]["numpy"][0].isdigit()
    assert json.dumps(record) == json.dumps(run_record(**facts))


def test_importing_it_imports_nothing_heavy():
    program = (
        "import sys, maskgen.results.manifest; sys.exit(bool({'cv2', 'PIL', 'mediapipe'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(manifest.__file__).parents[1])


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_metadata_of_a_mirror_is_one_file_of_flat_columns(tmp_path):
    face = dataclasses.replace(FACE, alpha_file="alpha/b/2.jpg.png")
    other = dataclasses.replace(
        ROW,
        file_name="b/2.jpg",
        split="test",
        faces=(face, FACE),
        attributes={"label": "other", "bad_file_name": "x"},
        unmasked_file="unmasked/b/2.jpg",
    )
    assert write_metadata(with_rows(tmp_path, ROW, MISSED, other), "mirror") == [tmp_path / "metadata.jsonl"]
    first, second = read_lines(tmp_path / "metadata.jsonl")
    assert (first["file_name"], first["label"], first["gender"], first["age"]) == (
        "a/1.jpg",
        "male",
        "male",
        31,
    )
    assert (first["template"], first["wear"], first["coverage_nose"]) == ("surgical_blue", "correct", 0.987)
    assert not any(isinstance(value, dict | list) for value in first.values())
    assert (second["label"], second["attribute_label"], second["gender"]) == ("male", "other", None)
    assert "bad_file_name" not in second
    assert second["faces"] == 2
    assert (second["unmasked_file_name"], second["alpha_file_name"]) == (
        "unmasked/b/2.jpg",
        "alpha/b/2.jpg.png",
    )


def test_metadata_of_folders_is_one_file_a_split_with_paths_inside_of_it(tmp_path):
    face = dataclasses.replace(FACE, alpha_file="alpha/train/male/x.jpg.png")
    train = dataclasses.replace(
        ROW, file_name="train/male/x.jpg", faces=(face,), unmasked_file="unmasked/train/male/x.jpg"
    )
    test = dataclasses.replace(ROW, file_name="test/male/y.jpg")
    written = write_metadata(with_rows(tmp_path, train, MISSED, test), "folders")
    assert written == [tmp_path / "test" / "metadata.jsonl", tmp_path / "train" / "metadata.jsonl"]
    (row,) = read_lines(written[1])
    assert row["file_name"] == "male/x.jpg"
    # ImageFolder refuses a path out of the folder in any column that ends like this.
    assert [name for name in row if name.endswith("_file_name")] == []
    assert (row["unmasked_file"], row["alpha_file"]) == (train.unmasked_file, face.alpha_file)


def test_a_run_without_masked_pictures_has_no_metadata(tmp_path):
    assert write_metadata(with_rows(tmp_path, MISSED), "mirror") == []
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.jsonl"]
