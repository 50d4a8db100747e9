"""Whole runs over damaged label files: rows with their notes, or exit code 2 and the place; no traceback.

``pytest -s`` on this file prints what came of each kind.
"""

import json
import re

import pytest
from broken_annotations import CASES, PICTURE, SAME, Note, Refused
from layouts import LAYOUTS

from maskgen.__main__ import main
from maskgen.errors import EXIT_USAGE
from maskgen.landmarks.landmark_file import write_landmark_file

ALL = [(adapter, kind) for adapter, (_, kinds) in CASES.items() for kind in kinds]


def written(root, adapter, kind):
    """A small dataset whose label file is damaged so; returns (adapter's own name, landmark file)."""
    file, kinds = CASES[adapter]
    name = adapter.partition(",")[0]
    layout = dict(LAYOUTS[name])
    if adapter == "utkface":
        layout = {f"UTKFace/{kind}": None}
    elif adapter == "lfw, scores":
        layout = {path: content for path, content in layout.items() if "names" not in path}
    elif name == "table":
        layout = {"faces/1.jpg": None}
    for path, content in layout.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        data = PICTURE if content is None else content
        (root / path).write_bytes(data if isinstance(data, bytes) else data.encode())
    if file is not None:
        content = kinds[kind][0]
        (root / file).unlink(missing_ok=True)
        if content is None:
            (root / file).mkdir()
        else:
            (root / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    pictures = [path for path, content in layout.items() if content is None]
    landmarks = root.with_name("landmarks.jsonl")
    write_landmark_file(landmarks, [(path, (1, 1), []) for path in pictures])
    return name, landmarks, pictures


@pytest.mark.parametrize(("adapter", "kind"), ALL)
def test_a_damaged_label_file_gives_rows_or_a_place(tmp_path, capfd, request, adapter, kind):
    name, landmarks, pictures = written(tmp_path / "root", adapter, kind)
    out = tmp_path / "out"
    options = ["--root", tmp_path / "root", "--out", out, "--landmarks", landmarks, "-q"]
    code = main(["synth", "--dataset", name, *map(str, options)])
    said = capfd.readouterr().err
    expected = CASES[adapter][1][kind][1]
    reasons = []
    if code == 0:
        rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
        assert {row["id"] for row in rows} >= set(pictures)
        reasons = [row["reason"] for row in rows if row["label"] is None or row["status"] != "no_face"]
    if request.config.getoption("capture") == "no":
        with capfd.disabled():
            short = "; ".join(reasons) if code == 0 else said.strip()
            print(f"\n{adapter:18} {kind:30} exit {code} {short[-150:]}", end="")
    if isinstance(expected, Refused):
        assert code == EXIT_USAGE
        assert said.startswith("maskgen: error: ") and re.search(expected.pattern, said, re.DOTALL), said
        assert len(said) < 2000
    elif isinstance(expected, Note):
        assert code == 0, said
        assert any(re.search(expected.pattern, reason) for reason in reasons), reasons
    else:
        assert expected == SAME and (code, reasons) == (0, []), said
