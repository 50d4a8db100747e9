"""Manifests that others wrote, against every command that reads one: no traceback, no file elsewhere."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from fuzzing import VALUES, examples
from hypothesis import given
from hypothesis import strategies as st
from small_runs import masked, write_dataset

from maskgen.__main__ import main
from maskgen.errors import ConfigurationError
from maskgen.manifest import read_manifest, row_from_json
from maskgen.report import write_card

# What JSON text says and `json.dumps` does not; put in for these texts once a row is written.
RAW = {
    "@NaN": "NaN",
    "@inf": "1e400",
    "@deep": "[" * 500 + "]" * 500,
    "@deeper": "[" * 100_000,
    "@digits": "9" * 5000,
    "@large": "9" * 400,
    "@surrogate": '"\\ud800"',
    "@zero": '"a\\u0000b"',
}
BAD_PATHS = [
    "../x.jpg",
    "/etc/passwd",
    "a/../../x.jpg",
    "..",
    ".",
    "",
    "a/.",
    "a//b",
    "female/",
    "./a",
    "a\0b",
]
ODD = [
    "shards/000000.tar/a",
    "shards/000000.tar",
    *BAD_PATHS,
    *RAW,
    "y" * 70_000,
    "=1+1",
    "a\r\nb",
    "\u2028",
    "female",
    "x" * 300 + "/1.jpg",
]
ODD += [-1, 0, 10**9, 10**18, 10**30, 1.5, True, None, [], {}, [1, 2, 3, 4], [0, 0, -1, -1]]


def places(value, path=()):
    """The path to every value in a row, at any depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


def changed(row, changes):
    """One line of a manifest, with values changed, fields added or left out, or one given twice."""
    made = json.loads(json.dumps(row))
    twice = ""
    for path, value, how in changes:
        inner = made
        with contextlib.suppress(LookupError, TypeError):
            for step in path[:-1]:
                inner = inner[step]
            if how == "drop":
                del inner[path[-1]]
            elif how == "twice":
                twice = json.dumps({str(path[-1]): value})[1:-1] + ", "
            elif how == "unknown":
                inner["unknown"] = value
            else:
                inner[path[-1]] = value
    text = json.dumps(made)
    text = text[0] + twice + text[1:]
    for name, raw in RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text + "\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two results of four images, one of them in tars: its folder and its rows."""
    root = write_dataset(tmp_path_factory.mktemp("hostile") / "faces", count=4)
    found = {}
    for layout in ("mirror", "webdataset"):
        out = root.with_name(layout)
        masked(root, out, pairs=True, alpha=True, layout=layout)
        write_card(out, picture=False)
        found[layout] = out, [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    return found


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


def test_every_odd_value_in_every_field_is_a_row_or_one_line(whole, tmp_path):
    manifest = tmp_path / "manifest.jsonl"
    for path in places(whole[1][0]):
        for value in ODD:
            manifest.write_text(changed(whole[1][0], [(path, value, "set")]))
            try:
                assert len(list(read_manifest(manifest))) == 1
            except ConfigurationError as error:
                said = str(error)
                assert said.startswith(f"{manifest}, line 1: ") and "\n" not in said
                assert len(said) < 600 + len(str(manifest))


def bright(images):
    """Of each image how likely it is "male": any function of the pixels."""
    share = images.mean(axis=(1, 2, 3), dtype=np.float32)[:, None] / 255
    return np.hstack([1 - share, share])


COMMANDS = {
    "coco": ["annotations", "OUT", "--format", "coco", "--out", "MADE/x"],
    "coco of unmasked": ["annotations", "OUT", "--format", "coco", "--unmasked", "--out", "MADE/x"],
    "yolo": ["annotations", "OUT", "--format", "yolo", "--out", "MADE/x"],
    "voc": ["annotations", "OUT", "--format", "voc", "--out", "MADE/x"],
    "csv": ["table", "OUT", "MADE/t.csv"],
    "parquet": ["table", "OUT", "MADE/t.parquet"],
    "report": ["report", "OUT", "--samples", "3"],
    "verify": ["verify", "OUT"],
    "split": ["split", "OUT", "--both", "--check", "--out", "MADE/s.csv"],
    "split by age": ["split", "OUT", "--label", "age", "--json"],
    "evaluate": ["evaluate", "MODEL", "--on", "OUT", "--both", "--split", "all", "--out", "MADE/e"],
    "merge": ["merge", "OUT"],
    "coco of tars": ["annotations", "OUT", "--format", "coco", "--out", "MADE/x"],
    "verify tars": ["verify", "OUT"],
    "split tars": ["split", "OUT"],
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_no_manifest_ends_a_command_in_a_traceback_or_leads_it_out(name, results, tmp_path, monkeypatch):
    if name == "parquet":
        pytest.importorskip("pyarrow")
    if name == "evaluate":
        pytest.importorskip("matplotlib")
        _fake_model(monkeypatch, tmp_path)
    out, rows = results["webdataset" if "tars" in name else "mirror"]
    cage = tmp_path / "cage"
    shutil.copytree(out, cage / "out", symlinks=True)
    paths = sorted({path for row in rows for path in places(row) if "landmarks" not in path[:-1]}, key=str)
    odd = [*ODD, f"{cage}/outside/x.jpg", f"{cage}/outside"]
    sets = [changed(rows[0], [(path, value, "set")]) for path in paths for value in odd]
    # Odd in a way that a row may be: or else the first bad row ends every example.
    odd_rows = [*filter(_is_row, sets)]
    change = st.tuples(
        st.sampled_from(paths),
        st.sampled_from(odd) | VALUES,
        st.sampled_from(("set", "drop", "twice", "unknown")),
    )
    anything = st.builds(changed, st.sampled_from(rows), st.lists(change, max_size=3))

    # Plots take most of a second.
    @examples(5 if name == "evaluate" else 20)
    @given(st.lists(st.sampled_from(odd_rows), min_size=1, max_size=8), st.lists(anything, max_size=1))
    def check(lines, last):
        for place in ("manifest.jsonl", *([".maskgen/shards/000000.jsonl"] if name == "merge" else [])):
            (cage / "out" / place).write_text("".join((*lines, *last)))
        (cage / "out/.maskgen/finished.json").unlink(missing_ok=True)  # so that `merge` has work to do
        _run(name, cage, tmp_path)

    check.hypothesis.inner_test(odd_rows, [])  # each of them once; of hypothesis a failure prints them all
    check()


def _is_row(line):
    with contextlib.suppress(ConfigurationError):
        return bool(row_from_json(line))
    return False


def _run(name, cage, tmp_path):
    made = cage / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    before = _files(cage)
    words = {"OUT": cage / "out", "MADE": made, "MODEL": tmp_path / "m.onnx"}
    arguments = COMMANDS[name]
    for word, path in words.items():
        arguments = [part.replace(word, str(path)) for part in arguments]
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = main([*arguments, *(["-q"] if name not in ("report", "merge") else [])])
    assert code in (0, 1, 2)
    said = [line for line in stderr.getvalue().splitlines() if line.startswith("maskgen: error: ")]
    assert len(said) == (code == 2) or "verify" in name or "split" in name
    if code == 2:
        assert len(said[0]) < 3000
    assert _files(cage) == before


def _files(cage):
    """Every file with its size and time, without ``made`` and what `report` and `merge` write."""
    ours = {"README.md", "preview.jpg", "manifest.jsonl", "metadata.jsonl", "maskgen.json", "finished.json"}
    found = {}
    for path in cage.rglob("*"):
        if path.is_file() and path.name not in ours and "made" not in path.relative_to(cage).parts[:1]:
            info = path.stat()
            found[path] = info.st_size, info.st_mtime_ns
    return found


def _fake_model(monkeypatch, tmp_path):
    from maskgen.train import classifier
    from maskgen.train.spec import ModelSpec

    spec = ModelSpec(("female", "male"), 32, "face", 0.25, 0.5, None, "tiny-cnn")
    (tmp_path / "m.onnx").touch()
    model = classifier.Classifier("m", Path(tmp_path / "m.onnx"), spec, bright)
    monkeypatch.setattr(classifier, "open_classifier", lambda path: model)
