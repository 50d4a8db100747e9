"""What a store may hold and how it is named: odd names, missing images, refusals, and the command line."""

import json
import os
import shutil

import pytest
from small_runs import differing, face, landmark_file, masked, template_file, tree, write_dataset
from small_stores import but_root, fresh_memory, run_from, stored, upload

from maskgen.__main__ import main
from maskgen.datasets import DATASETS, find_root
from maskgen.errors import ConfigurationError, MissingDataError, UsageError
from maskgen.files import tar
from maskgen.files.path_text import to_text
from maskgen.files.remote import location
from maskgen.landmarks.landmark_file import write_landmark_file
from maskgen.run import job as batch
from maskgen.run import remote_run_dir as stored_run


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces", count=4)


@pytest.fixture
def memory():
    return fresh_memory("memory://test")


@pytest.fixture
def stored_source(source, memory):
    """The dataset in memory, its landmarks and template beside the local one."""
    return upload(source, memory / "faces")


# What cannot be.


@pytest.mark.parametrize("out", ["", "/out", "/../faces"])
def test_an_output_in_its_source_is_refused(source, stored_source, out):
    with pytest.raises(UsageError, match="lie in one another"):
        run_from(source, stored_source, location(f"{stored_source}{out}"))


def test_memory_is_refused_where_there_are_several_processes(source, memory):
    with pytest.raises(UsageError, match=r"memory of one process.*-j 1"):
        masked(source, memory / "out", running={"workers": 2})


def test_an_output_with_a_character_of_patterns_is_refused(source, memory):
    with pytest.raises(UsageError, match="is a wildcard of fsspec"):
        masked(source, memory / "out[1]")


def test_what_cannot_be_fetched_is_a_row_that_says_why(source, stored_source, memory, monkeypatch):
    listed = stored_run.mask_stored_shard

    def vanish_first(task, shard):
        (stored_source / "female/000.jpg").unlink(missing_ok=True)
        return listed(task, shard)

    monkeypatch.setattr(batch, "mask_stored_shard", vanish_first)
    size = len((source / "female/002.jpg").read_bytes())
    for module in (stored_run, tar):
        monkeypatch.setattr(module, "MAX_BYTES", size - 1)
    run_from(source, stored_source, memory / "out", report=None, limit=2)
    rows = map(json.loads, (memory / "out/manifest.jsonl").read_text().splitlines())
    assert [(row["status"], row["reason"]) for row in rows] == [
        ("unreadable", "file not found"),
        ("unreadable", f"a file of {size} bytes, more than {size - 1}"),
    ]


def test_a_store_that_takes_nothing_ends_the_run(source, memory, monkeypatch):
    def refuse(self, *arguments, **options):
        raise PermissionError("Access Denied")

    for name in ("put_file", "pipe_file"):
        monkeypatch.setattr(type(memory.fs), name, refuse)
    with pytest.raises(
        ConfigurationError, match=r"config\.json cannot be written: PermissionError: Access Den"
    ):
        masked(source, memory / "out")


def test_a_name_that_is_no_text_cannot_be_in_a_store(tmp_path, memory):
    root, out = write_dataset(tmp_path / "faces", count=1), memory / "out"
    name = os.fsdecode(b"female/\xff.jpg")
    try:
        shutil.copy(root / "female" / "000.jpg", root / name)
    except OSError:
        pytest.skip("this file system has no such names")
    write_landmark_file(landmark_file(root), [(to_text(name), (120, 140), [face()])])
    with pytest.raises(UsageError, match=r"female/%FF\.jpg is not valid UTF-8"):
        masked(root, out)
    assert [name for name in stored(out) if "shards" in name] == []


def test_names_that_look_like_patterns_or_queries_are_names(tmp_path, memory):
    root, out = write_dataset(tmp_path / "faces", count=1), memory / "out"
    names = ["female/*.jpg", "female/[0].jpg", "female/0?a=b#c.jpg", "female/50%25 ü.jpg"]
    for name in names:
        shutil.copy(root / "female" / "000.jpg", root / name)
    write_landmark_file(landmark_file(root), [(name, (120, 140), [face()]) for name in names])
    upload(root, memory / "faces")
    run_from(root, memory / "faces", out)
    run_from(root, root, tmp_path / "out")
    assert differing(but_root(stored(out)), but_root(tree(tmp_path / "out"))) == []
    assert set(names) <= set(stored(out))
    masked(root, out, limit=1, running={"overwrite": True})
    assert [name for name in stored(out) if name.endswith(".jpg")] == ["female/*.jpg"]


# The command line.


def arguments(source, root, out):
    return [
        *("synth", "--dataset", "folder", "--root", str(root), "--out", str(out), "--label", "gender"),
        *("--landmarks", str(landmark_file(source)), "--template", str(template_file(source))),
        *("--shard-size", "3"),
    ]


def test_the_command_line_takes_urls(source, stored_source, memory, tmp_path, capsys):
    run_from(source, source, tmp_path / "out")
    files = tree(tmp_path / "out")
    assert main(arguments(source, stored_source, memory / "out")) == 0
    assert "the result is in memory://test/out" in capsys.readouterr().err
    assert differing(but_root(stored(memory / "out")), but_root(files)) == []
    (memory / "out/preview.jpg").unlink()
    assert main(["report", "memory://test/out"]) == 0
    assert (memory / "out/preview.jpg").read_bytes() == files["preview.jpg"]
    assert main(["merge", "memory://test/out"]) == 0


def test_a_root_that_is_not_there_is_named(source, memory, tmp_path, capsys):
    assert main(arguments(source, "memory://test/nowhere", tmp_path / "out")) == MissingDataError.exit_code
    assert "memory://test/nowhere (is not there)" in capsys.readouterr().err


def test_a_landmark_file_by_url_is_refused(source, tmp_path, capsys):
    given = arguments(source, source, tmp_path / "out")
    given[given.index("--landmarks") + 1] = "memory://test/landmarks"
    assert main(given) == 2
    assert "got the URL memory://test/landmarks" in capsys.readouterr().err


def test_the_shared_folder_of_datasets_may_be_a_url(source, memory, monkeypatch):
    upload(source, memory / "folder")
    monkeypatch.setenv("MASKGEN_DATA", "memory://test")
    assert find_root(DATASETS["folder"]) == memory / "folder"


def test_one_picture_and_a_landmark_file_by_url(memory, tmp_path):
    (memory / "in.jpg").write_bytes((DATASETS["sample"].ships_in / "eileen_collins_face.jpg").read_bytes())
    assert main(["apply", "memory://test/in.jpg", "memory://test/out.png", "-q"]) == 0
    assert (memory / "out.png").read_bytes().startswith(b"\x89PNG")
    assert main(["apply", "memory://test/in.jpg", "memory://test/in.jpg"]) == 2
    assert main(["landmarks", "--dataset", "sample", "--limit", "1", "--out", "memory://test/l", "-q"]) == 0
    assert len((memory / "l").read_text().splitlines()) == 1
    (memory / "faces/1.jpg").write_bytes((memory / "in.jpg").read_bytes())
    assert (
        main(
            [
                "landmarks",
                "--dataset",
                "folder",
                "--root",
                "memory://test/faces",
                "--out",
                str(tmp_path / "l"),
                "-q",
            ]
        )
        == 0
    )
    assert len((tmp_path / "l").read_text().splitlines()) == 1
