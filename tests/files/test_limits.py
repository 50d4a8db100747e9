"""How much an image may ask for, and what a spreadsheet may be told."""

import csv
import io
import subprocess
import sys

import pytest
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st
from processes import environment, finish
from small_runs import write_dataset

from maskgen.errors import EXIT_USAGE, UsageError
from maskgen.files.csv_text import csv_text, plain_cell, safe_cell
from maskgen.limits import MAX_PIXELS, max_pixels
from maskgen.results.manifest import read_manifest

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.parametrize(("said", "means"), [("", MAX_PIXELS), ("100", 100), ("1_000_000", 1_000_000)])
def test_the_environment_says_how_many_pixels(monkeypatch, said, means):
    monkeypatch.setenv("MASKGEN_MAX_PIXELS", said)
    assert max_pixels() == means


@pytest.mark.parametrize("said", ["many", "0", "-1", "1e6"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch, said):
    monkeypatch.setenv("MASKGEN_MAX_PIXELS", said)
    with pytest.raises(UsageError, match="MASKGEN_MAX_PIXELS must be a number of pixels"):
        max_pixels()


def test_a_run_keeps_its_limit_and_its_workers_have_it(tmp_path):
    root = write_dataset(tmp_path / "faces", count=2, size=(300, 300))
    code, said = finish(root, tmp_path / "out", 2, env=environment(MASKGEN_MAX_PIXELS="60000"))
    assert code == 0, said
    rows = list(read_manifest(tmp_path / "out" / "manifest.jsonl"))
    assert {row.reason for row in rows} == {"300 x 300 pixels are more than 60000, see MASKGEN_MAX_PIXELS"}
    code, said = finish(root, tmp_path / "out")
    assert code == EXIT_USAGE
    assert "max_pixels was 60000, now 200000000" in said
    wrong = finish(root, tmp_path / "other", env=environment(MASKGEN_MAX_PIXELS="x"))
    assert wrong[0] == EXIT_USAGE and "Traceback" not in wrong[1]


def test_opencv_has_the_same_limit():
    program = (
        "import sys, os; from maskgen.__main__ import main; main(['--version']); import cv2, numpy as np\n"
        "data = cv2.imencode('.png', np.zeros((50, 50), np.uint8))[1]\n"
        "try: print(cv2.imdecode(data, cv2.IMREAD_COLOR))\n"
        "except cv2.error as error: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(MASKGEN_MAX_PIXELS="2499"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] in ("refused", "None")


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1"),
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", " =1", "\xa0=1", "\ufeff=1", "\0=1", "\x0b@a"),
    ],
)
def test_no_cell_starts_a_formula(text):
    written = safe_cell(text)
    assert written == f"'{text}"
    assert plain_cell(written) == text


@pytest.mark.parametrize(
    "value", [-1, 2.5, -0.5, None, True, "-1", "-0.25", "+3", "-1.5e-07", "-inf", "nan", "a=b"]
)
def test_numbers_and_plain_texts_stay_as_they_are(value):
    assert safe_cell(value) is value


@examples(50)
@given(st.lists(st.lists(st.text(max_size=6) | st.sampled_from(STARTS), min_size=2, max_size=2), max_size=5))
def test_a_table_can_be_read_back_and_none_of_its_texts_runs(rows):
    read = list(csv.reader(io.StringIO(csv_text(("id", "=reason"), rows), newline="")))
    assert [[plain_cell(cell) for cell in row] for row in read] == [["id", "=reason"], *rows]
    for row in read:
        for cell in row:
            assert not cell.startswith(STARTS) or safe_cell(cell) is cell
