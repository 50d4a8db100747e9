"""No command touches a source: contents, times, permissions and links are the same before and after."""

import hashlib
import os
import shutil
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from processes import arguments, finish
from small_runs import landmark_file, template_file, write_dataset
from small_tars import pack

from maskgen.__main__ import main
from maskgen.errors import EXIT_USAGE


def state(*roots):
    """Path -> all that a careless program could change; times of reading are no change."""
    found = {}
    for root in roots:
        for path in (root, *root.rglob("*")):
            info = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
            found[str(path)] = (
                *(info.st_ino, info.st_mode, info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns),
                *(content, os.readlink(path) if path.is_symlink() else None),  # noqa: PTH115
            )
    return found


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def maskgen(capfd, monkeypatch):
    """Runs a command in this process: one of its own for each of them would take minutes."""

    def run(*words, cwd):
        monkeypatch.chdir(cwd)
        capfd.readouterr()
        return Done(main([str(word) for word in words]), *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A dataset with a table, labels, a link, a read-only file, a damaged image and one without a face."""
    folder = tmp_path_factory.mktemp("sources")
    root = write_dataset(folder / "faces", count=6)
    (root / "table.csv").write_text("path,gender\nfemale/000.jpg,f\n")
    (root / "damaged.jpg").write_bytes(b"\xff\xd8\xff")
    (root / "link.jpg").symlink_to("male/001.jpg")
    (root / "female/000.jpg").chmod(0o444)
    for index, path in enumerate(sorted(root.rglob("*"))):
        os.utime(path, (1e9 + index, 1e9 + index), follow_symlinks=False)
    return root


def test_no_command_changes_what_it_reads(source, tmp_path, maskgen):
    tars = tmp_path / "tars"
    pack(source, tars)
    shutil.copy(landmark_file(source), tmp_path / "landmarks.jsonl")
    before = state(source.parent, tars, tmp_path / "landmarks.jsonl")
    portrait, out = source / "male/001.jpg", tmp_path / "mirror"
    runs = {
        layout: arguments(source, tmp_path / layout, layout=layout, pairs=True, alpha=True)[3:]
        for layout in ("mirror", "folders", "webdataset")
    }
    common = ("--landmarks", landmark_file(source), "--template", template_file(source))
    commands = (
        *runs.values(),
        [*runs["mirror"], "--retry-failed"],
        [*runs["mirror"], "--overwrite"],
        [*runs["mirror"], "--dry-run"],
        ["synth", "--dataset", "table", "--root", source / "table.csv", *common, "--out", tmp_path / "table"],
        ["synth", "--dataset", "webdataset", "--root", tars, *common, "--out", tmp_path / "again"],
        ["landmarks", "--dataset", "folder", "--root", source, "--out", tmp_path / "found.jsonl"],
        ["apply", portrait, tmp_path / "masked.jpg"],
        ["report", out],
        ["merge", out],
        ["datasets", "--json"],
        ["split", source, "--out", tmp_path / "split.csv"],
        ["templates", "check", template_file(source)],
    )
    for words in commands:
        done = maskgen(*words, cwd=tmp_path)
        assert "Traceback" not in done.stderr, done.stderr
        assert state(source.parent, tars, tmp_path / "landmarks.jsonl") == before, words
        assert done.returncode == 0, (words, done.stderr)


@pytest.mark.parametrize(
    ("root", "out"),
    [
        ("faces", "faces"),
        ("faces", "faces/out"),
        ("faces", "."),
        ("faces", "faces/../faces/female/out"),
        ("faces", "link/out"),
        ("link", "faces/out"),
        ("link/female", "faces"),
        ("elsewhere/up/faces", "faces/out"),
        ("faces/.", "{here}/faces/new/out"),
    ],
)
def test_an_output_in_the_source_and_a_source_in_the_output_are_refused(source, tmp_path, root, out, maskgen):
    shutil.copytree(source, tmp_path / "faces", symlinks=True)
    (tmp_path / "link").symlink_to("faces")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/up").symlink_to("..")
    before = state(tmp_path)
    options = ("--dataset", "folder", "--root", root, "--out", out.format(here=tmp_path))
    done = maskgen("synth", *options, "--landmarks", landmark_file(source), cwd=tmp_path)
    assert done.returncode == EXIT_USAGE
    assert "give " in done.stderr and "--out" in done.stderr and "Traceback" not in done.stderr
    assert state(tmp_path) == before


def test_other_commands_refuse_to_write_into_what_they_read(source, tmp_path, maskgen):
    shutil.copytree(source, tmp_path / "faces", symlinks=True)
    (tmp_path / "link").symlink_to("faces/male")
    before = state(tmp_path)
    for words in (
        ("landmarks", "--dataset", "folder", "--root", "faces", "--out", "faces/male/001.jpg"),
        ("landmarks", "--dataset", "folder", "--root", "faces", "--out", "link/landmarks.jsonl"),
        ("apply", "faces/male/001.jpg", "link/001.jpg"),
        ("train", "faces", "--out", "faces/run", "--backbone", "tiny-cnn"),
    ):
        done = maskgen(*words, cwd=tmp_path)
        assert done.returncode == EXIT_USAGE, done.stderr
        assert "source" in done.stderr or "OUT is IN" in done.stderr
        assert state(tmp_path) == before


def test_a_pipe_among_the_pictures_stops_no_command(tmp_path, maskgen):
    """Who opened it would wait for ever for someone to write into it."""
    root = tmp_path / "faces"
    root.mkdir()
    os.mkfifo(root / "pipe.jpg")
    Image.fromarray(np.full((40, 40, 3), 99, np.uint8)).save(root / "plain.png")
    done = maskgen("landmarks", "--dataset", "folder", "--root", root, "--out", "x", "--json", cwd=tmp_path)
    assert done.returncode == 0 and '"unreadable": 1' in done.stdout, done.stderr
    assert maskgen("apply", root / "pipe.jpg", "-", "--help", cwd=tmp_path).returncode == 0


def test_the_result_of_a_run_is_no_source_of_its_own(source, tmp_path, maskgen):
    """Masked images may be masked again, elsewhere."""
    assert finish(source, tmp_path / "out")[0] == 0
    before = state(tmp_path / "out")
    options = (
        "--dataset",
        "folder",
        "--root",
        "out",
        "--out",
        "out/again",
        "--landmarks",
        landmark_file(source),
    )
    assert maskgen("synth", *options, cwd=tmp_path).returncode == EXIT_USAGE
    assert state(tmp_path / "out") == before
