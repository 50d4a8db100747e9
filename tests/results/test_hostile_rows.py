"""Rows of manifests that others wrote: each odd value is a row, or one line that names it."""

import json
import shutil

import pytest
from odd_rows import BAD_PATHS, ODD, changed, places, write_results

from maskgen.__main__ import main
from maskgen.datasets.readers.tar_labels import labels_of
from maskgen.errors import ConfigurationError
from maskgen.files.json_text import fitting, json_line
from maskgen.files.safe_paths import leads_out
from maskgen.records import SPLITS, ManifestRow
from maskgen.results.manifest import row_from_json, row_to_json


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def whole(results):
    return results["mirror"]


def test_a_value_of_no_row_is_named_with_field_expectation_and_value(whole):
    row = whole[1][0]
    cases = [
        (("split",), "../../x", "split: expected null or one of train, validation, test, got '../../x'"),
        (("faces", 0, "wear"), "odd", r"faces\[0\]\.wear: expected one of correct, .*, got 'odd'"),
        (("faces", 0, "box"), [1, 2, -3, 4], r"faces\[0\]\.box: expected x, y, .*, got \[1, 2, -3, 4\]"),
        (("faces", 0, "occluded"), "@NaN", r"faces\[0\]\.occluded: expected a number .*, got nan"),
        (("faces", 0, "pose"), {"id": 1}, r"faces\[0\]\.pose: expected .* from pitch, roll, yaw, got"),
        (
            ("label",),
            "y" * 65_537,
            "label: expected null or valid text of at most 65536 characters, got 'yyy",
        ),
        (("label",), "@surrogate", "label: expected null or valid text"),
        (("attributes",), {"age": "@inf"}, "attributes: expected .* finite numbers"),
        (("attributes",), {"age": "@deep"}, "attributes: expected .* at most 16 deep"),
        (("width",), 0, "width: expected null or a whole number from 1 "),
        (("seed",), 2**63, "seed: expected a whole number from"),
        (("odd",), 1, "'odd': expected no field of this name"),
        *((("file_name",), path, "file_name: expected null or a path below") for path in BAD_PATHS),
        *((("faces", 0, "alpha_file"), path, r"faces\[0\]\.alpha_file: expected null") for path in BAD_PATHS),
    ]
    for path, value, message in cases:
        line = changed(row, [(path, value, "set")])
        with pytest.raises(ConfigurationError, match=f"not a row of a manifest: {message}"):
            row_from_json(line)


def test_every_odd_value_in_every_field_is_a_row_or_one_line(whole):
    for path in places(whole[1][0]):
        for value in ODD:
            try:
                row_from_json(changed(whole[1][0], [(path, value, "set")]))
            except ConfigurationError as error:
                assert "\n" not in str(error) and len(str(error)) < 600


def test_a_row_that_maskgen_writes_can_be_read_whatever_the_source_says():
    deep = value = {}
    for _ in range(500):
        value["x"] = value = {}
    huge = "y" * 1_000_000
    row = ManifestRow(
        **dict.fromkeys(("file_name", "sha256", "width", "height", "split"), None),
        **{"variant": 0, "status": "no_face", "faces": (), "seed": 0},
        **{name: fitting(huge) for name in ("id", "reason", "label", "identity")},
        attributes=fitting({"deep": deep, "huge": huge, huge: 1, "nan": float("nan"), "odd": "\ud800"}),
        source=fitting({"dataset": "table", "path": huge, "sha256": None}),
    )
    read = row_from_json(row_to_json(row))
    assert len(read.id) < 65_536 and read.id.startswith("yyy") and read.attributes["nan"] is None
    assert fitting("y" * 65_537) != fitting("y" * 65_538)


def test_rows_in_the_tars_of_others_give_samples_that_can_be_written(results):
    row = results["webdataset"][1][0]
    for path in places(row):
        for value in ODD:
            member = changed(row, [(path, value, "set")]).encode()
            labels = labels_of("a.jpg", "a", {"a.json": member})
            assert labels.source is None or not leads_out(labels.source)
            assert labels.split in (None, *SPLITS)
            line = json_line({"attributes": fitting(labels.attributes), "identity": fitting(labels.identity)})
            json.loads(line.encode())


@pytest.mark.parametrize("name", ["female/000.jpg", "a.txt/b.jpg", "a.xml/b.jpg"])
def test_a_name_that_the_format_gives_to_a_folder_is_one_line(whole, tmp_path, name, capsys):
    """As files beside each other these are two; in YOLO's and VOC's trees one is the other's folder."""
    out, rows = whole
    copy = shutil.copytree(out, tmp_path / "out")
    lines = [
        changed(rows[0], [(("file_name",), place, "set")]) for place in ("a.jpg", name, "female/000.jpg")
    ]
    (copy / "manifest.jsonl").write_text("".join(lines))
    for form in ("yolo", "voc"):
        code = main(["annotations", str(copy), "--format", form, "--out", str(tmp_path / form)])
        said = capsys.readouterr().err.splitlines()
        taken = name == "female/000.jpg" or name[2:5] == {"yolo": "txt", "voc": "xml"}[form]
        assert code == (2 if taken else 0) and len(said) == 1
        assert not taken or "another image has this name" in said[0]


@pytest.mark.parametrize("part", ["options", "source", "versions", "templates", "counts"])
def test_a_run_record_of_other_types_is_one_line(whole, tmp_path, part, capsys):
    copy = shutil.copytree(whole[0], tmp_path / "out")
    record = json.loads((copy / "maskgen.json").read_text())
    for value in ([1], "x", 5, *([{"a": []}] if part == "templates" else [])):
        (copy / "maskgen.json").write_text(json.dumps({**record, part: value}))
        for command in ("verify", "report"):
            assert main([command, str(copy)]) == 2
            (said,) = capsys.readouterr().err.splitlines()
            assert f"maskgen.json: {part}: expected an object" in said


def test_verify_says_a_name_with_line_ends_in_one_line(whole, tmp_path, capsys):
    copy = shutil.copytree(whole[0], tmp_path / "out")
    lines = [changed(row, [(("file_name",), "a\tb\n\x1b[2Jc.jpg", "set")]) for row in whole[1]]
    (copy / "manifest.jsonl").write_text("".join(lines))
    assert main(["verify", str(copy)]) == 1
    said = capsys.readouterr().out
    assert all(line.count("\t") == 2 for line in said.splitlines()) and "\x1b" not in said
