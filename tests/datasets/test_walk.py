import logging
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskgen.datasets.readers.root import images, sample_at
from maskgen.errors import AnnotationError, MissingDataError
from maskgen.files.path_text import to_text
from maskgen.files.suffixes import IMAGE_SUFFIXES


def test_lists_pictures_of_every_format_in_any_case_and_nothing_else(tree):
    pictures = [f"a{suffix}" for suffix in (*sorted(IMAGE_SUFFIXES), ".JPG", ".Png", ".x.jpg")]
    root = tree({"a.txt": "", "a.jpg.txt": "", "jpg": "", "a.mat": "", "b/c": ""}, *pictures)
    assert list(images(root)) == sorted(pictures, key=os.fsencode)


def test_lists_in_the_byte_order_of_whole_paths(tree):
    names = ["a-b/1.jpg", "a.jpg", "a/1.jpg", "a/b/1.jpg", "a0.jpg", "B/1.jpg", "ü.jpg", "z.jpg"]
    assert list(images(tree(None, *names))) == sorted(names, key=os.fsencode)


def test_lists_names_that_are_odd_but_legal(tree):
    names = [
        "new\nline.jpg",
        "-dash.jpg",
        "tab\t.jpg",
        'quo"te.jpg',
        " lead.jpg",
        "n" * 251 + ".jpg",
        ".hidden.jpg",
    ]
    assert set(images(tree(None, *names))) == set(names)


def test_a_name_that_is_not_utf8_has_a_text_id_and_keeps_its_path(tree):
    root = tree()
    (root / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    (sample,) = (sample_at(root, relative) for relative in images(root))
    assert sample.id == "caf%E9.jpg"
    assert os.fsencode(sample.relative) == b"caf\xe9.jpg"
    assert sample.path.read_bytes() == b"x"


@pytest.mark.parametrize("name", ["100%.jpg", "a%20b.jpg", "caf%c3.jpg", "ü.jpg", "%.jpg"])
def test_an_id_is_the_path_itself_where_it_can_be(name):
    assert to_text(name) == name


names = st.lists(st.sampled_from([b"%", b"25", b"FF", b"2", b"5", b"E9", b"\xff", b"\xe9", b"a"]), max_size=8)


@given(names, names)
def test_two_paths_never_have_one_id(one, other):
    paths = [os.fsdecode(b"".join(parts)) for parts in (one, other)]
    ids = [to_text(path) for path in paths]
    assert (ids[0] == ids[1]) == (paths[0] == paths[1])
    for text in ids:
        text.encode()


def test_broken_links_and_pipes_are_inputs_for_the_reader_to_report(tree):
    root = tree()
    (root / "broken.jpg").symlink_to("nowhere.jpg")
    (root / "self.jpg").symlink_to("self.jpg")
    os.mkfifo(root / "pipe.jpg")
    (root / "folder.jpg").mkdir()
    assert list(images(root)) == ["broken.jpg", "pipe.jpg", "self.jpg"]


def test_links_inside_the_root_are_followed_but_never_in_circles(tree, caplog):
    caplog.set_level(logging.INFO, "maskgen")
    root = tree(None, "a/1.jpg", "b/2.jpg")
    (root / "c").symlink_to("a")
    (root / "a/up").symlink_to("..")
    (root / "a/across").symlink_to("../b")
    (root / "b/across").symlink_to("../a")
    assert [path for path in images(root) if "across" not in path] == ["a/1.jpg", "b/2.jpg", "c/1.jpg"]
    assert "leads back" in caplog.text


@pytest.mark.parametrize("to_folder", [False, True])
def test_links_out_of_the_root_are_refused_by_name(tree, tmp_path, to_folder):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"")
    root = tree(None, "a/1.jpg")
    (root / "a/out.jpg").symlink_to(outside if to_folder else outside / "secret.jpg")
    with pytest.raises(AnnotationError, match=r"a/out\.jpg is a link out of"):
        list(images(root))


def test_a_folder_whose_name_begins_like_the_roots_is_outside(tree, tmp_path):
    (tmp_path / "root2").mkdir()
    root = tree(None, "1.jpg")
    (root / "sibling").symlink_to("../root2")
    with pytest.raises(AnnotationError):
        list(images(root))


def test_the_root_itself_may_be_a_link_and_other_links_do_not_matter(tree, tmp_path):
    root = tree(None, "a/1.jpg")
    (root / "notes.txt").symlink_to("/etc/hostname")
    (tmp_path / "link").symlink_to(root)
    assert list(images(tmp_path / "link")) == ["a/1.jpg"]


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(MissingDataError, match="no-such"):
        list(images(tmp_path / "no-such"))


def test_folders_deeper_than_the_recursion_limit(tree):
    root, depth = tree(), 1200
    folder = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=folder)
        folder, parent = os.open("d", os.O_RDONLY, dir_fd=folder), folder
        os.close(parent)
    os.close(os.open("1.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    assert list(images(root)) == ["d/" * depth + "1.jpg"]
    # pytest's own removal recurses on Python 3.10 and 3.11
    (root / ("d/" * depth) / "1.jpg").unlink()
    for level in range(depth, 0, -1):
        (root / ("d/" * level)).rmdir()


def test_what_a_label_says_goes_where_a_sample_has_it(tmp_path):
    known = {"split": "test", "identity": "x", "note": "n", "gender": None, "age": 3}
    sample = sample_at(tmp_path, "a.jpg", known)
    assert (sample.split, sample.identity, sample.note, sample.attributes) == ("test", "x", "n", {"age": 3})
    assert known["split"] == "test"
