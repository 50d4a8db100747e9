"""``--files-from``: a run over the images that a list names, such as `find` prints it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import landmark_file, template_file, write_dataset

from maskgen.__main__ import main
from maskgen.datasets import get_dataset
from maskgen.datasets.file_list import chosen, read_list
from maskgen.errors import MissingDataError, UsageError
from maskgen.results.manifest import read_manifest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with ``photos`` in it, in which we are."""
    write_dataset(tmp_path / "photos", count=6)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(folder, *more):
    given = ("--landmarks", landmark_file(folder / "photos"), "--template", template_file(folder / "photos"))
    return [*map(str, given), "--root", "photos", "-q", *more]


def ids(out):
    return [row.id for row in read_manifest(out / "manifest.jsonl")]


def pipe(folder, script):
    """Runs a line of shell, in which `maskgen` is this one."""
    command = f'maskgen() {{ {shlex.quote(sys.executable)} -m maskgen "$@"; }}; {script}'
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_find_prints_is_masked_and_again_does_nothing(desk):
    shown = shlex.join(options(desk, "--out", "masked/found"))
    line = f"find photos -path '*/female/*' -print0 | maskgen synth --files-from - -0 {shown}"
    done = pipe(desk, line)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    out = desk / "masked" / "found"
    assert ids(out) == ["female/000.jpg", "female/002.jpg", "female/004.jpg"]
    assert (out / "female" / "000.jpg").is_file()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert pipe(desk, line).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    other = pipe(desk, line.replace("female", "male"))
    assert other.returncode == 2
    assert "files was" in other.stderr and "--overwrite" in other.stderr


def test_lists_name_pictures_from_here_from_the_root_or_from_the_top(desk):
    lines = [
        "photos/male/001.jpg",
        "female/000.jpg",
        "./male/003.jpg",
        str(desk / "photos/female/002.jpg"),
        "",
    ]
    expected = ("female/000.jpg", "female/002.jpg", "male/001.jpg", "male/003.jpg")
    assert read_list("\n".join(lines).encode(), Path("photos")) == expected
    assert read_list("\r\n".join(lines).encode(), Path("photos")) == expected
    assert read_list(b"a\nb.jpg\0\xff.jpg\0", Path(), null=True) == ("a\nb.jpg", "\udcff.jpg")
    assert read_list(b"male/001.jpg\nmale/001.jpg\n", Path("photos")) == ("male/001.jpg",)


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "photos/../../secret.jpg"])
def test_a_list_cannot_lead_out_of_the_root(desk, name):
    with pytest.raises(UsageError, match="--files-from"):
        read_list(name.encode(), Path("photos"))


def test_an_empty_list_is_wrong_usage(desk, capsys):
    (desk / "empty").write_text("\n")
    assert main(["synth", "--files-from", "empty", *options(desk)]) == 2
    assert "names no image" in capsys.readouterr().err


def test_a_listed_picture_that_is_not_there_has_its_row(desk):
    (desk / "list").write_text("female/000.jpg\nfemale/gone.jpg\n")
    assert main(["synth", "--files-from", "list", *options(desk)]) == 0
    rows = {row.id: row for row in read_manifest(desk / "masked" / "folder" / "manifest.jsonl")}
    assert rows["female/000.jpg"].status == "masked"
    assert (rows["female/gone.jpg"].status, rows["female/gone.jpg"].reason) == (
        "unreadable",
        "file not found",
    )


def test_the_order_and_form_of_the_list_decide_nothing(desk):
    (desk / "one").write_text("male/001.jpg\nfemale/000.jpg\n")
    (desk / "two").write_text("photos/female/000.jpg\r\nmale/001.jpg\r\n")
    for name in ("one", "two"):
        assert main(["synth", "--files-from", name, "--out", f"masked/{name}", *options(desk)]) == 0
    assert (desk / "masked/one/maskgen.json").read_bytes() == (desk / "masked/two/maskgen.json").read_bytes()


def test_pictures_in_the_output_are_refused(desk, capsys):
    (desk / "list").write_text("photos/female/000.jpg\n")
    given = [each if each != "photos" else "." for each in options(desk)]
    assert main(["synth", "--files-from", "list", "--out", "photos", *given]) == 2
    assert "lies in the output folder" in capsys.readouterr().err


def test_of_another_dataset_the_list_chooses_and_labels_stay(tmp_path):
    write_dataset(tmp_path / "Training", count=4)
    dataset = chosen(get_dataset("gender-folders"), ("Training/male/001.jpg",))
    (sample,) = dataset.samples(tmp_path)
    assert (sample.attributes["gender"], sample.split) == ("male", "train")
    with pytest.raises(MissingDataError, match=r"Training/male/9\.jpg"):
        list(chosen(get_dataset("gender-folders"), ("Training/male/9.jpg",)).samples(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_list_with_a_byte_order_mark_or_in_utf_16_is_read(encoding, tmp_path):
    text = "a/1.jpg\r\nä.jpg\r\n"
    assert read_list(text.encode(encoding), tmp_path) == ("a/1.jpg", "ä.jpg")


def test_a_list_that_ends_names_in_nul_says_how_to_read_it(tmp_path):
    with pytest.raises(UsageError, match=r"got a NUL byte; .* needs -0"):
        read_list(b"a/1.jpg\0b.jpg\0", tmp_path)
