import json
import os

import pytest

from maskgen.datasets import find_root, get_dataset
from maskgen.errors import AnnotationError, MissingDataError

ROW = {"path": "a/1.jpg", "gender": "Female", "split": "val", "identity": "x", "label": "cat", "age": 30}


@pytest.mark.parametrize(
    ("name", "text", "age"),
    [
        ("table.csv", "path,gender,split,identity,label,age\na/1.jpg,Female,val,x,cat,30\n", "30"),
        ("any.csv", "\ufeffPath;Sex;SPLIT;Person;label;age\r\na\\1.jpg;f;Validation;x;cat;30\r\n", "30"),
        (
            "list.tsv",
            "file_name\tgender\tsplit\tidentity\tlabel\tage\n./a//1.jpg\tFEMALE\tvalid\tx\tcat\t30",
            "30",
        ),
        ("metadata.jsonl", json.dumps(ROW) + "\n\n", 30),
        ("x.json", json.dumps(ROW | {"empty": None}), 30),
    ],
)
def test_reads_every_kind_of_table(name, text, age, tree, read):
    root = tree({name: text}, "a/1.jpg")
    for given in (root, root / name):
        (sample,) = read("table", find_root(get_dataset("table"), given)).values()
        assert (sample.id, sample.path, sample.split, sample.identity) == (
            "a/1.jpg",
            root / "a/1.jpg",
            "validation",
            "x",
        )
        assert sample.attributes == {"gender": "female", "label": "cat", "age": age}
        assert sample.note is None


def test_a_file_that_is_listed_but_not_there_is_a_sample(tree, read):
    assert list(read("table", tree({"table.csv": "path\nz.jpg\na.jpg\n"}, "z.jpg"))) == ["a.jpg", "z.jpg"]


def test_a_name_with_a_backslash_is_kept_where_there_is_such_a_file(tree, read):
    assert list(read("table", tree({"table.csv": "path\nb\\1.jpg\n"}, "b\\1.jpg"))) == ["b\\1.jpg"]


def test_a_name_that_is_not_utf8_can_be_listed_in_json(tree, read):
    name = os.fsdecode(b"caf\xe9.jpg")
    (sample,) = read("table", tree({"table.jsonl": json.dumps({"path": name})}, name)).values()
    assert (sample.id, sample.path.exists()) == ("caf%E9.jpg", True)


def test_a_picture_listed_twice_is_one_sample_with_what_both_rows_say(tree, read):
    text = "path,gender,age\n1.jpg,m,3\n1.jpg,f,3\n2.jpg,m,\n2.jpg,m,4\n"
    one, two = read("table", tree({"table.csv": text})).values()
    assert (one.attributes, one.note) == ({"age": "3"}, "listed twice with different gender")
    assert (two.attributes, two.note) == ({"gender": "male", "age": "4"}, None)


def test_a_gender_in_other_words_is_no_label(tree, read):
    (sample,) = read("table", tree({"table.csv": "path,gender\n1.jpg,unknown\n"})).values()
    assert sample.attributes == {}
    assert sample.note == "its gender in the table is 'unknown'"


@pytest.mark.parametrize(
    ("column", "cell", "gender"),
    [
        *[("gender", word, "male") for word in ("Man", "male", "MALE", " m ", "boys")],
        *[("sex", word, "female") for word in ("Woman", "F", "Female", "girl")],
        *[
            ("male", "1", "male"),
            ("Male", "-1", "female"),
            ("is_male", "False", "female"),
            ("male", "0.8", None),
        ],
        *[("female", "yes", "female"), ("is_female", "0", "male")],
    ],
)
def test_gender_is_read_from_the_documented_words_and_columns(column, cell, gender, tree, read):
    (sample,) = read("table", tree({"table.csv": f"path,{column}\n1.jpg,{cell}\n"})).values()
    assert sample.attributes.get("gender") == gender


@pytest.mark.parametrize("number", ["0", "1", "2", "-1", "1.0"])
def test_a_number_for_a_gender_is_refused_with_what_to_write(number, tree, read):
    with pytest.raises(
        AnnotationError, match=rf"line 2: the gender {number} can mean either; .* column male"
    ):
        read("table", tree({"table.csv": f"path,gender\n1.jpg,{number}\n"}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "sep=;\r\npath;gender;split\r\na/1.jpg;Man;dev\r\n"),
        ("a.csv", '"sep=|"\npath|gender|split\na/1.jpg|Man|eval\n'),
        ("a.json", '[{"path": "a/1.jpg", "gender": "Man", "split": "validation"}]'),
        ("a.jsonl", ' \n[\n{"path": "a/1.jpg",\n"gender": "Man", "split": "Valid"}\n]\n'),
        ("a.csv", "path,gender,split\na/1.jpg,Man,val\n".encode("utf-16")),
        ("a.csv", "path,gender,split\na/1.jpg,Man,val\n".encode("utf-16-le")),
        ("a.json", '\ufeff[{"path": "a/1.jpg", "gender": "M", "split": "dev"}]'),
    ],
)
def test_tables_are_read_as_programs_write_them(name, text, tree, read):
    (sample,) = read("table", tree({name: text}, "a/1.jpg")).values()
    assert (sample.id, sample.attributes, sample.split) == ("a/1.jpg", {"gender": "male"}, "validation")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\n1.jpg\n", "line 2: expected one of the columns path, "),
        (
            "path,split\n1.jpg,holdout\n",
            "line 2: expected the split train, validation or test, got 'holdout'",
        ),
        ("path,age\n1.jpg\n", "line 2: expected 2 cells, got 1"),
        ("path,age\n,3\n", "line 2: expected one of the columns"),
        ("path\n/etc/passwd\n", "line 2: '/etc/passwd' is an absolute path"),
        ("path\n1.jpg\na/../../1.jpg\n", "line 3: 'a/../../1.jpg' has a '..'"),
        ("path\nout/1.jpg\n", "line 2: out/1.jpg is a link out of"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_file_and_line(text, message, tree, read, tmp_path):
    (tmp_path / "outside").mkdir()
    root = tree({"table.csv": text})
    (root / "out").symlink_to("../outside")
    with pytest.raises(AnnotationError) as caught:
        read("table", root)
    assert f"{root / 'table.csv'}, {message}" in str(caught.value)


def test_a_folder_with_several_tables_or_none_is_not_guessed_at(tree):
    root = tree({"a.csv": "path\n", "b.csv": "path\n"})
    with pytest.raises(MissingDataError, match=r"\.csv, \.tsv or \.jsonl"):
        find_root(get_dataset("table"), root)
    assert find_root(get_dataset("table"), root / "b.csv") == root / "b.csv"


@pytest.mark.parametrize("row", [{"identity": "\ud800"}, {"a": ["\udcff"]}, {"\ud800": 1}])
def test_text_that_is_none_is_refused(row, tree, read):
    with pytest.raises(AnnotationError, match=r"table\.jsonl, line 1: expected values that can be written"):
        read("table", tree({"table.jsonl": json.dumps({"path": "1.jpg", **row})}))
