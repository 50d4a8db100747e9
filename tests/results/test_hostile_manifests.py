"""Manifests that others wrote, against every command that reads one: no traceback, no file elsewhere."""

import contextlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from fuzzing import VALUES, examples
from hypothesis import given
from hypothesis import strategies as st
from odd_rows import ODD, changed, is_row, places, write_results

from maskgen.__main__ import main


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("hostile"))


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
    "browse": ["browse", "OUT"],
    "browse embedded": ["browse", "OUT", "--embed", "-o", "MADE/b.html"],
    "browse tars": ["browse", "OUT"],
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
    odd_rows = [*filter(is_row, sets)]
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
    """Every file with its size and time, without ``made`` and what `report`, `merge` and `browse` write."""
    ours = {"README.md", "preview.jpg", "manifest.jsonl", "metadata.jsonl", "maskgen.json", "finished.json"}
    ours |= {"browse.html"}
    found = {}
    for path in cage.rglob("*"):
        if path.is_file() and path.name not in ours and "made" not in path.relative_to(cage).parts[:1]:
            info = path.stat()
            found[path] = info.st_size, info.st_mtime_ns
    return found


def _fake_model(monkeypatch, tmp_path):
    from maskgen.train.model import classifier
    from maskgen.train.spec import ModelSpec

    spec = ModelSpec(("female", "male"), 32, "face", 0.25, None, None, "tiny-cnn")
    (tmp_path / "m.onnx").touch()
    model = classifier.Classifier("m", Path(tmp_path / "m.onnx"), spec, bright)
    monkeypatch.setattr(classifier, "open_classifier", lambda path: model)
