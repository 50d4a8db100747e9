import logging

import pytest

from maskgen.datasets.readers.label_files import LabelTable, merged, read_json_rows, read_lines, read_table
from maskgen.errors import AnnotationError
from maskgen.files.safe_paths import contained, refuse_escape


@pytest.mark.parametrize(
    "data",
    [
        "a\nß\n".encode(),
        "a\r\nß\r\n".encode(),
        "a\rß\r".encode(),
        "a\nß\n".encode("utf-8-sig"),
        "a\nß\n".encode("utf-16"),
        "a\nß\n".encode("utf-16-le"),
        "a\nß\n".encode("utf-16-be"),
        "a\nß\n".encode("latin-1"),
    ],
    ids=["lf", "crlf", "cr", "bom", "utf-16", "utf-16-le", "utf-16-be", "latin-1"],
)
def test_reads_text_whatever_its_line_ends_and_encoding(tree, data):
    assert read_lines(tree({"x.txt": data}) / "x.txt") == ["a", "ß", ""]


def test_a_nul_byte_is_refused_with_file_and_line(tree):
    with pytest.raises(AnnotationError, match=r"x\.txt, line 2: expected text, got a NUL"):
        read_lines(tree({"x.txt": b"a\nb\0\n"}) / "x.txt")


def test_a_file_larger_than_the_limit_is_refused_unread(tree, monkeypatch):
    monkeypatch.setattr("maskgen.datasets.readers.label_files.MAX_LABEL_BYTES", 1000)
    root = tree({"x.txt": "a" * 1000, "y.txt": "a" * 1001})
    assert read_lines(root / "x.txt") == ["a" * 1000]
    with pytest.raises(AnnotationError, match=r"y\.txt, the file is larger than 1,000 bytes"):
        read_lines(root / "y.txt")


def test_a_file_that_cannot_be_read_is_named(tree):
    with pytest.raises(AnnotationError, match=r"x\.txt: cannot be read"):
        read_lines(tree() / "x.txt")


@pytest.mark.parametrize("text", ["a,b\n1,2", "a,b\r\n1,2\r\n", "\ufeffa, b\n1, 2\n", 'a,b\n"1","2",\n\n'])
def test_reads_a_table_whatever_its_blanks_and_ends(tree, text):
    assert list(read_table(tree({"x.csv": text}) / "x.csv", ("a", "b"))) == [(2, {"a": "1", "b": "2"})]


def test_a_missing_column_is_named_with_what_there_is(tree):
    with pytest.raises(AnnotationError, match=r"x\.csv, line 1: expected a column 'c', got \['a', 'b'\]"):
        list(read_table(tree({"x.csv": "a,b\n1,2\n"}) / "x.csv", ("c",)))


def test_damaged_rows_are_counted_in_one_line_or_refused(tree, caplog):
    caplog.set_level(logging.INFO, "maskgen")
    path = tree({"x.csv": "a,b\n1\n1,2\n1,2,3\n"}) / "x.csv"
    assert [row for _, row in read_table(path)] == [{"a": "1", "b": "2"}]
    assert caplog.messages == [
        "x.csv: 2 damaged rows are left out, the first on line 2: expected 2 cells, got 1"
    ]
    with pytest.raises(AnnotationError, match="line 2: expected 2 cells, got 1"):
        list(read_table(path, strict=True))


def test_an_endless_cell_is_refused(tree):
    with pytest.raises(AnnotationError, match=r"x\.csv, line"):
        list(read_table(tree({"x.csv": "a\n" + "x" * 200_000}) / "x.csv"))


@pytest.mark.parametrize("text", ["{", "[1]", "3", '{"a": NaN}', "[" * 100_000])
def test_json_lines_that_are_none_are_refused_with_file_and_line(tree, text):
    with pytest.raises(AnnotationError, match=r"x\.jsonl, line 2: expected a JSON object"):
        list(read_json_rows(tree({"x.jsonl": '{"a": 1, "b": null}\n' + text}) / "x.jsonl"))


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../x.jpg", "a/../../x.jpg", "..", "a/..", "a\\..\\x.jpg"),
        *("\\x.jpg", "C:\\x.jpg", "c:/x.jpg", "", "  ", "a\0b.jpg", "\ud800.jpg"),
    ],
)
def test_a_path_that_may_lead_out_is_refused_where_it_stands(path):
    with pytest.raises(AnnotationError, match=r"^list, line 3: "):
        refuse_escape(path, "list, line 3")


@pytest.mark.parametrize("path", ["a.jpg", "a/b.jpg", "..a.jpg", "a..b/c..jpg", "...", "~/a.jpg", "a:b.jpg"])
def test_a_path_that_leads_down_is_kept_as_it_is(path):
    assert refuse_escape(path, "") == path


def test_a_link_out_is_refused_for_a_file_and_for_a_folder_on_the_way(tree, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/1.jpg").touch()
    root = tree(None, "in/1.jpg")
    (root / "a.jpg").symlink_to("../out/1.jpg")
    (root / "b").symlink_to("../out")
    (root / "c.jpg").symlink_to("in/1.jpg")
    for path in ("a.jpg", "b/1.jpg"):
        with pytest.raises(AnnotationError, match=f"list, line 1: {path} is a link out of"):
            contained(root, path, "list, line 1")
    assert [contained(root, path, "") for path in ("c.jpg", "in/1.jpg", "none/1.jpg")]


def test_counts_the_rows_that_nobody_asked_for(caplog):
    caplog.set_level(logging.INFO, "maskgen")
    table = LabelTable[int]("list.txt")
    for number in range(1200):
        table.add(f"{number}.jpg", number)
    assert [table.find("7.jpg"), table.find("7.jpg"), table.find("x.jpg")] == [7, 7, None]
    table.report()
    assert caplog.messages == ["list.txt: 1,199 of 1,200 rows name images that are not here"]


def test_rows_that_contradict_each_other_are_not_used():
    table = LabelTable[str]("list.txt")
    for key, row in [("a", "1"), ("a", "1"), ("b", "1"), ("b", "2"), ("b", "1")]:
        table.add(key, row)
    assert (table.find("a"), table.find("b")) == ("1", None)
    assert table.missing("b") == "list.txt has contradictory rows for it"
    assert table.missing("c") == "list.txt has no row for it"


def test_merged_rows_keep_what_they_agree_on():
    row = merged({"gender": "male", "age": 3, "x": 1, "note": "n"}, {"gender": "female", "age": 3, "y": 2})
    assert row == {"age": 3, "x": 1, "y": 2, "note": "n; listed twice with different gender"}
    assert merged(row, {"age": 3}) == row
