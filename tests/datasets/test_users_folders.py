"""Folders as users have them: names that mislead, what systems leave behind, links, archives, long paths."""

import ast
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from small_runs import face, flat, masked
from small_tars import write_tar

from maskgen.__main__ import main
from maskgen.files.image_files import archive_hint, images
from maskgen.files.safe_paths import following_links
from maskgen.files.suffixes import IMAGE_SUFFIXES, SUFFIXES, is_image_name
from maskgen.files.system_files import is_system_name
from maskgen.landmarks.landmark_file import write_landmark_file
from maskgen.results.manifest import read_manifest
from maskgen.verify.result import Verifier

PACKAGE = Path(__file__).parents[2] / "maskgen"
CLUTTER = (
    *(".ipynb_checkpoints/a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "__MACOSX/._a.jpg", "._a.jpg"),
    *(".git/annex/a.jpg", ".dvc/cache/a.jpg", "lost+found/a.jpg", "#recycle/a.jpg", ".Trash-1000/a.jpg"),
    *(".dropbox.cache/a.jpg", "$RECYCLE.BIN/a.jpg", "System Volume Information/a.jpg", "Thumbs.db"),
    *("desktop.ini", ".DS_Store"),
)


def rows(out):
    return list(read_manifest(out / "manifest.jsonl"))


# Item 1: words of splits in names.


@pytest.mark.parametrize("variants", [1, 2])
def test_an_image_whose_name_holds_a_split_is_no_folder_of_one(tmp_path, variants):
    names = ("test_1.jpg", "img_test.jpg", "train-01.jpg", "fairface_val_1161.jpg")
    root = flat(tmp_path / "faces", *names)
    masked(root, tmp_path / "out", variants=variants, label=None)
    listed = (tmp_path / "out" / "metadata.jsonl").read_text().splitlines()
    tops = ("",) if variants == 1 else ("variant-0/", "variant-1/")
    files = sorted(json.loads(line)["file_name"] for line in listed)
    assert files == sorted(top + name for top in tops for name in names)
    assert list(Verifier(tmp_path / "out").run()) == []


def test_a_folder_of_a_split_still_has_its_own_table(tmp_path):
    root = flat(tmp_path / "faces", "train/1.jpg", "my_test.jpg")
    masked(root, tmp_path / "out", label=None)
    told = {
        folder: json.loads((tmp_path / "out" / folder / "metadata.jsonl").read_text())["file_name"]
        for folder in ("", "train")
    }
    assert told == {"": "my_test.jpg", "train": "1.jpg"}


# Suffixes.


def test_there_is_one_list_of_image_suffixes():
    second = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = getattr(node, "elts", None) or getattr(node, "keys", None) or ()
            texts = {each.value for each in values if isinstance(each, ast.Constant)}
            dotted = {text for text in texts if text in IMAGE_SUFFIXES}
            bare = {text for text in texts if f".{text}" in IMAGE_SUFFIXES}
            # Three are the formats of --format.
            if (len(dotted) > 1 or len(bare) > 3) and path.name != "suffixes.py":
                second.append(f"{path.name}:{node.lineno}")
    assert second == []


def test_each_suffix_is_of_one_format_in_lower_case():
    every = [suffix for suffixes in SUFFIXES.values() for suffix in suffixes]
    assert len(set(every)) == len(every)
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in every)


@pytest.mark.parametrize(
    "name", ["a.jfif", "a.dib", "a.pnm", "a.pbm", "a.JPE", "a.heic", "a.HIF", "a.avif", "a.jxl", "a.jp2"]
)
def test_every_kind_of_image_file_is_an_input(name):
    assert is_image_name(name)


@pytest.mark.parametrize("name", ["jpg", "a.jpg.txt", "a.", "a", "a.mp4", "a.json"])
def test_no_other_file_is_an_input(name):
    assert not is_image_name(name)


def test_what_cannot_be_decoded_has_a_row_with_the_reason(tmp_path):
    root = flat(tmp_path / "faces", "a.jfif")
    (root / "phone.heic").write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic")
    (root / "a.jp2").write_bytes(b"\0\0\0\x0cjP  \r\n\x87\n")
    masked(root, tmp_path / "out", label=None)
    found = {row.id: (row.status, row.reason) for row in rows(tmp_path / "out")}
    assert found["a.jfif"] == ("masked", None)
    assert found["a.jp2"] == ("unreadable", "JPEG 2000, which is not read: convert it first")
    assert found["phone.heic"][0] == "unreadable" and "HEIC" in found["phone.heic"][1]


# What systems leave behind.


@pytest.mark.parametrize("name", CLUTTER)
def test_system_files_and_folders_are_no_inputs(tmp_path, name):
    for path in (name, f"male/{name}", "male/a.jpg", ".hidden/b.jpg", ".c.jpg"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    assert list(images(tmp_path)) == [".c.jpg", ".hidden/b.jpg", "male/a.jpg"]


@pytest.mark.parametrize("name", ["a.jpg", ".a.jpg", "_a.jpg", "train", "git", ".photos", "cache", "Trash"])
def test_names_of_users_are_no_system_names(name):
    assert not is_system_name(name)


def test_a_result_that_a_file_manager_has_opened_is_verified_and_overwritten(tmp_path):
    root = flat(tmp_path / "faces", "a.jpg")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".DS_Store").touch()
    masked(root, out, label=None)
    for name in CLUTTER:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).touch()
    assert list(Verifier(out).run()) == []
    (out / "mine.txt").touch()
    assert [finding.file for finding in Verifier(out).run()] == ["mine.txt"]


# Links.


@pytest.fixture
def snapshot(tmp_path):
    """A folder as huggingface_hub makes it: each file is a link out of the folder."""
    flat(tmp_path / "blobs", "0a1b")
    folder = tmp_path / "snapshots/rev/male"
    folder.mkdir(parents=True)
    (folder / "1.jpg").symlink_to("../../../blobs/0a1b")
    return tmp_path / "snapshots/rev"


@pytest.mark.parametrize("command", ["synth", "landmarks"])
def test_links_out_of_the_root_are_read_where_that_is_allowed(snapshot, tmp_path, capsys, command):
    out = ["--out", str(tmp_path / "out"), "--dry-run"] if command == "synth" else ["--out", "lm.jsonl"]
    given = [command, "--dataset", "folder", "--root", str(snapshot), *out]
    assert main(given) == 2
    assert "is a link out of" in (said := capsys.readouterr().err) and "--follow-links allows it" in said
    if command == "synth":
        assert main([*given, "--follow-links"]) == 0
        assert "1 picture in 1 shard" in capsys.readouterr().err


def test_following_links_ends_with_its_block(snapshot):
    with following_links():
        assert list(images(snapshot)) == ["male/1.jpg"]
    with pytest.raises(Exception, match="--follow-links"):
        list(images(snapshot))


def test_a_finished_result_of_links_is_verified_where_that_is_allowed(tmp_path, capsys):
    masked(flat(tmp_path / "faces", "a.jpg"), tmp_path / "real", label=None)
    shutil.copytree(tmp_path / "real", tmp_path / "out", ignore=shutil.ignore_patterns(".maskgen"))
    (tmp_path / "out/a.jpg").unlink()
    (tmp_path / "out/a.jpg").symlink_to(tmp_path / "real/a.jpg")
    assert main(["verify", str(tmp_path / "out")]) == 1
    assert "--follow-links" in capsys.readouterr().out
    for workers in ("1", "2"):
        assert main(["verify", str(tmp_path / "out"), "--follow-links", "-j", workers]) == 0


# Archives that nobody has unpacked, and a "~" that the shell left.


@pytest.mark.parametrize(
    ("command", "names", "said"),
    [
        (["synth", "--dataset", "celeba"], ["img_align_celeba.zip"], "img_align_celeba.zip is an archive in"),
        (["synth", "--dataset", "folder"], ["a.7z", "b.rar"], "a.7z, b.rar are archives in"),
        (["synth", "--dataset", "folder"], ["faces.tar"], "--dataset webdataset reads"),
        (["split"], ["faces.tar.gz"], "faces.tar.gz is an archive in"),
        (["synth", "--dataset", "folder"], ["._a.zip", "notes.txt"], None),
    ],
)
def test_an_archive_in_a_root_without_images_is_named(tmp_path, capsys, command, names, said):
    root = tmp_path / "root"
    root.mkdir()
    for name in names:
        (root / name).write_bytes(b"PK\3\4")
    place = ["--root", str(root), "--out", str(tmp_path / "out")] if command[0] == "synth" else [str(root)]
    assert main([*command, *place]) == 2
    error = capsys.readouterr().err
    assert said in error if said else "unpack" not in error


def test_a_root_that_is_an_archive_is_told_so(tmp_path):
    (tmp_path / "faces.zip").write_bytes(b"PK\3\4")
    assert archive_hint(tmp_path / "faces.zip") == "faces.zip is an archive; unpack it and give the folder"


def test_a_home_folder_that_the_shell_left_is_filled_in(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    flat(tmp_path / "faces", "a.jpg")
    (tmp_path / "list").write_text("a.jpg\n")
    given = ["synth", "--dataset", "folder", "--root=~/faces", "--out=~/out", "--files-from=~/list"]
    assert main([*given, "--dry-run"]) == 0
    assert "1 picture in 1 shard" in capsys.readouterr().err
    assert main(["split", "~/faces", "--out=~/split.csv"]) == 2
    assert str(tmp_path / "faces") in capsys.readouterr().err


# Layouts for other loaders.


def test_class_folders_hold_only_what_every_loader_reads(tmp_path):
    root = flat(tmp_path / "faces", "a.jpg", "b.JPE", "c.bmp.jpg")
    picture = Image.open(root / "a.jpg")
    known = [("d.webp", {}), ("e.webp", {"lossless": True}), ("f.tiff", {}), ("g.bmp", {}), ("h.gif", {})]
    names = ["a.jpg", "b.JPE", "c.bmp.jpg", *(name for name, _ in known), "i.pgm"]
    for name, options in known:
        picture.save(root / name, **options)
    picture.convert("L").save(root / "i.pgm")
    write_landmark_file(
        root.with_name("faces_landmarks.jsonl"), [(name, (120, 140), [face((120, 140))]) for name in names]
    )
    masked(root, tmp_path / "out", layout="folders", label=None)
    found = sorted(path.name for path in (tmp_path / "out/all").rglob("*.*") if path.suffix != ".jsonl")
    assert found == [
        *("a.jpg", "b.JPE.jpg", "c.bmp.jpg.jpg", "d.webp.jpg", "e.webp.png", "f.tiff.png", "g.bmp"),
        *("h.gif.png", "i.pgm.png"),
    ]
    for path in (tmp_path / "out/all").rglob("*.*"):
        if path.suffix != ".jsonl":
            assert f".{Image.open(path).format.lower()}" in (path.suffix, path.suffix.replace("jpg", "jpeg"))


# Tars that a Mac has packed.


def test_a_tar_made_on_a_mac_keeps_labels_with_their_images(tmp_path):
    from maskgen.datasets import get_dataset
    from maskgen.results.reader import Members

    left = b"\0\5\26\7\0\2\0\0Mac OS X        "
    members = {
        **{"./._a.jpg": left, "./a.jpg": b"image", "./._a.json": left},
        **{"./a.json": b'{"gender": "female"}', "__MACOSX/._b.jpg": left, ".DS_Store": b""},
    }
    write_tar(tmp_path / "0.tar", members)
    (sample,) = get_dataset("webdataset").samples(tmp_path)
    assert (sample.id, sample.attributes, sample.note) == ("a.jpg", {"gender": "female"}, None)
    assert Members(tmp_path).read("0.tar/a.jpg") == b"image"
