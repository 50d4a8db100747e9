"""The manifest as a table, and the recipes of examples/ that read it and the manifest."""

import csv
import io
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from small_runs import masked, write_dataset
from test_report import face, row, write_result

from maskgen.__main__ import main
from maskgen.errors import MissingExtraError
from maskgen.files.csv_text import plain_cell
from maskgen.results.export.table import columns, write_csv, write_parquet
from maskgen.results.manifest import read_manifest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    root = write_dataset(tmp_path_factory.mktemp("table") / "faces", count=8)
    masked(root, root.with_name("out"), wears=(("correct", 1.0), ("nose-out", 1.0)))
    return root.with_name("out")


def read_csv(manifest):
    buffer = io.BytesIO()
    count = write_csv(manifest, buffer)
    lines = [*csv.DictReader(io.StringIO(buffer.getvalue().decode("utf-8"), newline=""))]
    assert len(lines) == count
    return lines


def odd_result(tmp_path):
    rows = [
        row("a.jpg", attributes={"age": 20, "tags": ["x"], "odd": True}, faces=[face(), face(wear="chin")]),
        row('b\n,".jpg', "no_face", reason="=HYPERLINK(1)", attributes={"age": 3.5, "odd": "yes"}),
        row("-c.jpg", attributes={"age": None, "@x": "+1+1"}),
    ]
    return write_result(tmp_path / "out", rows)


def test_a_line_for_each_face_and_one_for_what_was_not_masked(tmp_path):
    lines = read_csv(odd_result(tmp_path) / "manifest.jsonl")
    assert [(line["status"], line["face"], line["wear"]) for line in lines] == [
        ("masked", "0", "correct"),
        ("masked", "1", "chin"),
        ("no_face", "", ""),
        ("masked", "0", "correct"),
    ]
    assert lines[1]["mask_x"] == "45" and lines[1]["coverage_lower_face"] == "0.9"
    assert lines[0]["attribute_tags"] == '["x"]' and lines[2]["attribute_age"] == "3.5"


def test_no_text_in_a_csv_starts_a_formula(tmp_path):
    lines = read_csv(odd_result(tmp_path) / "manifest.jsonl")
    assert lines[2]["reason"] == "'=HYPERLINK(1)" and lines[3]["id"] == "'-c.jpg"
    assert lines[3]["attribute_@x"] == "'+1+1"
    assert lines[2]["id"] == 'b\n,".jpg'
    for line in lines:
        assert not any(str(value).startswith(("=", "+", "@")) for value in line.values())


NASTY = [
    "\n=1",
    "a\rb",
    "a\r\nb",
    "\r",
    'say "x"',
    "a,b",
    "\uff1d1",
    " =1",
    "\u2028",
    "\x1a",
    "'",
    "-5",
    "a\0b",
]


@pytest.mark.parametrize("reader", ["csv", "pandas", "duckdb"])
def test_a_csv_has_a_line_for_each_face_to_every_reader(tmp_path, reader):
    rows = [row(f"{number}.jpg", label=text, reason=text) for number, text in enumerate(NASTY)]
    out = write_result(tmp_path / "out", rows)
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        assert write_csv(out / "manifest.jsonl", file) == len(NASTY)
    if reader == "csv":
        found = [line["label"] for line in csv.DictReader(path.open(encoding="utf-8", newline=""))]
    elif reader == "pandas":
        found = pytest.importorskip("pandas").read_csv(path, dtype=str)["label"].tolist()
        found[-1] = NASTY[-1]  # its parser ends a text at a NUL
    else:
        found = [line[0] for line in pytest.importorskip("duckdb").read_csv(str(path))["label"].fetchall()]
    assert [plain_cell(cell) for cell in found] == NASTY


def test_negative_numbers_stay_numbers_in_a_csv(tmp_path):
    out = write_result(tmp_path / "out", [row("a.jpg", faces=[face(box=(-3, -4, 80, 90))])])
    (line,) = read_csv(out / "manifest.jsonl")
    assert (line["box_x"], line["box_y"]) == ("-3", "-4")


def test_attributes_have_the_type_that_all_their_values_have(tmp_path):
    kinds = columns(odd_result(tmp_path) / "manifest.jsonl")
    assert kinds["attribute_age"] == "number"
    assert kinds["attribute_odd"] == kinds["attribute_tags"] == "text"
    assert (kinds["face"], kinds["wear_agrees"], kinds["yaw"]) == ("whole", "truth", "number")


def test_parquet_holds_what_the_csv_holds(tmp_path, result):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for out in (result, odd_result(tmp_path)):
        with (tmp_path / "t.parquet").open("wb") as file:
            count = write_parquet(out / "manifest.jsonl", file)
        table, lines = parquet.read_table(tmp_path / "t.parquet"), read_csv(out / "manifest.jsonl")
        assert table.num_rows == count == len(lines)
        assert table.column_names == [*lines[0]]
        for name in ("id", "wear", "box_x", "source_sha256"):
            texts = ["" if value is None else str(value) for value in table[name].to_pylist()]
            assert texts == [line[name].removeprefix("'") for line in lines]
        assert table["coverage_nose"].to_pylist() == [
            float(line["coverage_nose"]) if line["coverage_nose"] else None for line in lines
        ]


def test_without_pyarrow_parquet_says_what_to_install(result, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"maskgen\[parquet\]"):
        write_parquet(result / "manifest.jsonl", io.BytesIO())


def test_the_command_goes_by_the_files_name_and_to_stdout_without_one(result, tmp_path, capfd):
    assert main(["table", str(result)]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("id,variant,status") and err == ""
    assert main(["table", str(result), str(tmp_path / "t.csv")]) == 0
    assert (tmp_path / "t.csv").read_text() == out
    assert main(["table", str(result), str(tmp_path / "t.xlsx")]) == 2
    assert "--format" in capfd.readouterr().err
    assert main(["table", str(tmp_path)]) == 2


def test_the_recipe_for_duckdb_counts_faces_by_label(result, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    assert main(["table", str(result), str(tmp_path / "t.parquet"), "-q"]) == 0
    database = duckdb.connect()
    database.execute(f"SET VARIABLE table_file = '{tmp_path / 't.parquet'}'")
    found = database.execute((EXAMPLES / "by_label.sql").read_text()).fetchall()
    rows = [row for row in read_manifest(result / "manifest.jsonl") if row.faces]
    expected = Counter((row.label, row.faces[0].kind, row.faces[0].wear) for row in rows)
    assert {line[:3]: line[3] for line in found} == expected


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_the_recipes_for_jq_answer_from_the_manifest(result, tmp_path):
    def recipe(name):
        done = subprocess.run(
            ["bash", EXAMPLES / "manifest_jq.sh", name, result], capture_output=True, text=True, check=True
        )
        return [line.split("\t") for line in done.stdout.splitlines()]

    rows = [*read_manifest(result / "manifest.jsonl")]
    named = ((r.status, r.label or "-", r.faces[0].wear if r.faces else "-") for r in rows)
    assert {tuple(line[:3]): int(line[3]) for line in recipe("counts")} == Counter(named)
    assert recipe("failures") == [[r.id, r.status, r.reason] for r in rows if r.status != "masked"]
    assert recipe("sources") == [[r.source["path"], r.source["sha256"]] for r in rows if r.faces]
    exposed = [[r.file_name] for r in rows if any(f.coverage["nose"] < 0.5 for f in r.faces)]
    assert recipe("exposed") == exposed
