import struct
import subprocess
import tracemalloc
import zlib

import numpy as np
import pytest
from layouts import WIKI_ROWS, matlab

from maskgen.datasets.readers import mat_file as matlab_reader
from maskgen.errors import AnnotationError
from maskgen.limits import MAX_MATLAB_BYTES

PICTURES = tuple(row["full_path"] for row in WIKI_ROWS)


@pytest.mark.parametrize(("part", "below"), [("wiki", "wiki_crop/"), ("imdb", "imdb_crop/"), ("imdb", "")])
def test_reads_the_matlab_file_of_either_part(part, below, tree, read):
    root = tree({f"{below}{part}.mat": matlab(part, WIKI_ROWS)}, *(below + path for path in PICTURES))
    samples = list(read("imdb-wiki", root).values())
    assert [sample.attributes for sample in samples] == [
        {"gender": "male", "age": 50, "face_score": 3.5},
        {"gender": "female", "age": 49, "second_face_score": 1.5},
        {"face_score": 1.0},
    ]
    assert [sample.identity for sample in samples] == ["A B", "C D", "E F"]
    assert [sample.note for sample in samples] == [None, None, f"{part}.mat does not say its gender"]


@pytest.mark.parametrize("taken", [1900, 2100, np.nan])
def test_an_age_that_nobody_can_have_is_left_out(taken, tree, read):
    root = tree({"wiki.mat": matlab("wiki", [{**WIKI_ROWS[0], "photo_taken": taken}])}, PICTURES[0])
    assert "age" not in read("imdb-wiki", root)[PICTURES[0]].attributes


def test_a_picture_without_a_row_is_unlabelled(tree, read):
    root = tree({"wiki_crop/wiki.mat": matlab("wiki", WIKI_ROWS)}, "wiki_crop/77/7.jpg")
    assert read("imdb-wiki", root)["wiki_crop/77/7.jpg"].note == "no row in wiki.mat"


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x.jpg", ""])
def test_a_path_that_leads_out_is_refused_with_its_row(path, tree, read):
    rows = [WIKI_ROWS[0], {**WIKI_ROWS[1], "full_path": path}]
    with pytest.raises(AnnotationError, match=r"wiki\.mat, row 2 of full_path"):
        read("imdb-wiki", tree({"wiki_crop/wiki.mat": matlab("wiki", rows)}))


@pytest.mark.parametrize(
    "data", [b"", b"version https://git-lfs.github.com/spec/v1\n", matlab("imdb", WIKI_ROWS)]
)
def test_a_file_that_is_no_such_table_is_refused(data, tree, read):
    with pytest.raises(AnnotationError, match=r"wiki\.mat: expected a Matlab file with a struct 'wiki'"):
        read("imdb-wiki", tree({"wiki_crop/wiki.mat": data}))


def test_a_file_that_crashes_its_reader_is_refused(tree, read, monkeypatch):
    monkeypatch.setattr(matlab_reader, "_CHILD", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(AnnotationError, match=r"wiki\.mat: .*the reader crashed"):
        read("imdb-wiki", tree({"wiki_crop/wiki.mat": matlab("wiki", WIKI_ROWS)}))


def unfolding(size, told):
    """A Matlab file of one compressed element of so many zeros, which says that it has ``told`` bytes."""
    folded = zlib.compress(struct.pack("<II", 14, told) + bytes(size), 1)
    return matlab("wiki", WIKI_ROWS)[:128] + struct.pack("<II", 15, len(folded)) + folded


@pytest.mark.parametrize(("size", "told"), [(64 << 20, 64 << 20), (64 << 20, 8), (8, 3 << 30)])
def test_a_file_that_unfolds_into_more_than_the_limit_is_refused_before_it_is_read(
    size, told, tree, read, monkeypatch
):
    monkeypatch.setattr(matlab_reader, "MAX_MATLAB_BYTES", 40 << 20)
    monkeypatch.setattr(subprocess, "run", None)
    root = tree({"wiki.mat": unfolding(size, told)}, PICTURES[0])
    assert (root / "wiki.mat").stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(AnnotationError, match=r"wiki\.mat: decompresses to more than 40 MiB, the limit"):
            read("imdb-wiki", root)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_the_limit_leaves_room_for_the_published_files():
    assert MAX_MATLAB_BYTES >= 3 * 460_723 * 374, "rows of imdb.mat, and bytes of one"
