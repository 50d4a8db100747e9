"""Runs from and into fsspec's memory and local file systems: the bytes of a run between two folders."""

import json
import shutil
from dataclasses import replace
from functools import partial

import pytest
from small_runs import differing, face, job, landmark_file, masked, template_file, tree, write_dataset

from maskgen import stored_run
from maskgen.__main__ import main
from maskgen.batch import merge, run
from maskgen.datasets import DATASETS
from maskgen.errors import ConfigurationError, MissingDataError, UsageError
from maskgen.landmarks.file import write_landmark_file
from maskgen.report import write_report
from maskgen.stored_run import run_folder
from maskgen.stores import location

EVERYTHING = {"variants": 2, "pairs": True, "alpha": True, "layout": "folders"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces")


@pytest.fixture
def memory():
    """A fresh place in fsspec's memory."""
    place = location("memory://test")
    place.fs.store.clear()
    place.fs.pseudo_dirs[:] = [""]
    return place


@pytest.fixture
def stored_source(source, memory):
    """The dataset in memory, its landmarks and template beside the local one."""
    root = memory / "faces"
    upload(source, root)
    return root


def upload(folder, place):
    for path in folder.rglob("*"):
        if path.is_file():
            place.fs.pipe_file((place / path.relative_to(folder).as_posix()).path, path.read_bytes())


def stored(place):
    """As `tree`, of a place in a store."""
    files = {path: path[len(place.path) :].strip("/") for path in place.fs.find(place.path)}
    return {name: place.fs.cat_file(path) for path, name in files.items()}


def run_from(source, root, out, report=write_report, running=None, **options):
    """The run of `small_runs.masked` with its pictures read from another root; with the final report."""
    local = job(source, out, **options)
    whole = partial(report, root=root) if report else None
    return run(replace(local, root=root), progress=False, report=whole, **(running or {}))


def but_root(files):
    """The files without the one value that may differ: where the sources were read."""
    config = json.loads(files[".maskgen/config.json"])
    del config["root"]
    return {**files, ".maskgen/config.json": json.dumps(config).encode()}


@pytest.fixture(scope="module", params=[{}, EVERYTHING], ids=["mirror", "everything"])
def local_run(request, source, tmp_path_factory):
    """(options, counts, files) of a run between two folders."""
    out = tmp_path_factory.mktemp("local") / "out"
    counts = run_from(source, source, out, **request.param)
    return request.param, counts, tree(out)


# The same bytes, wherever they are read and written.


def test_from_memory_to_memory(source, stored_source, memory, local_run):
    options, counts, files = local_run
    assert run_from(source, stored_source, memory / "out", **options) == counts
    assert differing(but_root(stored(memory / "out")), but_root(files)) == []
    assert json.loads((memory / "out/.maskgen/config.json").read_text())["root"] == "memory://test/faces"


def test_from_memory_to_a_folder(source, stored_source, tmp_path, local_run):
    options, _, files = local_run
    run_from(source, stored_source, tmp_path / "out", **options)
    assert differing(but_root(tree(tmp_path / "out")), but_root(files)) == []


def test_from_a_folder_to_a_store_of_two_processes(source, tmp_path, local_run):
    options, _, files = local_run
    run_from(source, source, location(f"local://{tmp_path}/out"), running={"workers": 2}, **options)
    assert differing(tree(tmp_path / "out"), files) == []


def test_two_processes_read_from_a_store(source, tmp_path, local_run):
    options, _, files = local_run
    run_from(source, location(f"local://{source}"), tmp_path / "out", running={"workers": 2}, **options)
    assert differing(but_root(tree(tmp_path / "out")), but_root(files)) == []


def test_a_file_url_is_the_path_it_names(source, tmp_path):
    assert location(f"file://{tmp_path}/out") == tmp_path / "out"


def test_shares_in_a_store_are_merged(source, memory, tmp_path):
    out = memory / "out"
    masked(source, tmp_path / "out")
    for share in (2, 1):
        masked(source, out, running={"share": (share, 2)})
        assert not (out / "manifest.jsonl").exists()
    merge(out)
    assert differing(stored(out), tree(tmp_path / "out")) == []


# Interrupted, resumed, replaced.


class Killed(BaseException):
    """What no handler catches, as a kill would be."""


def kill_at(monkeypatch, count):
    """Ends the run at the so-manieth upload of a shard's rows, pictures or stats."""
    calls = []

    def counted(function):
        def call(*arguments):
            calls.append(arguments)
            if len(calls) == count:
                raise Killed
            return function(*arguments)

        return call

    for name in ("put", "put_each"):
        monkeypatch.setattr(stored_run, name, counted(getattr(stored_run, name)))


# Each of the four shards uploads its rows, its pictures and its stats.
@pytest.mark.parametrize("count", range(1, 8))
def test_a_killed_run_goes_on_to_the_same_bytes(source, memory, tmp_path, monkeypatch, count):
    out = memory / "out"
    masked(source, tmp_path / "out")
    with monkeypatch.context() as context:
        kill_at(context, count)
        with pytest.raises(Killed):
            masked(source, out)
    done = (count - 1) // 3
    assert sorted(run_folder(out).done()) == list(range(done))
    before = {name: made_at(out / name) for name in stored(out) if name.startswith(".maskgen/shards/")}
    masked(source, out)
    assert differing(stored(out), tree(tmp_path / "out")) == []
    for name in list(before)[: 2 * done]:
        assert made_at(out / name) == before[name], "a finished shard was done again"


def made_at(path):
    return path.fs.created(path.path)


@pytest.mark.parametrize("count", range(2, 7))
def test_overwrite_removes_whatever_a_killed_run_has_uploaded(source, memory, monkeypatch, count):
    out, fresh = memory / "out", memory / "fresh"
    with monkeypatch.context() as context:
        kill_at(context, count)
        with pytest.raises(Killed):
            masked(source, out)
    (out / "mine.txt").write_text("mine")
    masked(source, out, layout="folders", running={"overwrite": True})
    masked(source, fresh, layout="folders")
    assert differing(stored(out), stored(fresh)) == ["mine.txt"]


def test_a_finished_run_is_left_alone(source, memory, monkeypatch):
    masked(source, memory / "out")
    monkeypatch.setattr(stored_run, "mask_shard", None)
    before = {name: made_at(memory / "out" / name) for name in stored(memory / "out")}
    masked(source, memory / "out")
    assert {name: made_at(memory / "out" / name) for name in stored(memory / "out")} == before


def test_a_picture_that_is_written_no_more_goes_when_its_shard_is_done_again(tmp_path, memory):
    root, out = write_dataset(tmp_path / "faces", count=3), memory / "out"
    masked(root, out)
    (root / "male" / "001.jpg").write_bytes(b"")
    run_folder(out).forget(0)
    masked(root, out)
    assert sorted(name for name in stored(out) if name.endswith("1.jpg")) == []
    assert (out / "female" / "000.jpg").exists()


def test_another_configuration_is_refused_with_the_difference(source, memory):
    masked(source, memory / "out")
    with pytest.raises(ConfigurationError, match=r"memory://test/out holds.*\n  options\.seed was 0, now 1"):
        masked(source, memory / "out", seed=1)


def test_a_place_of_other_files_is_refused(source, memory):
    (memory / "out" / "thesis.tex").write_text("")
    with pytest.raises(ConfigurationError, match=r"thesis\.tex"):
        masked(source, memory / "out", running={"overwrite": True})


# What cannot be.


@pytest.mark.parametrize("out", ["", "/out", "/../faces"])
def test_an_output_in_its_source_is_refused(source, stored_source, out):
    with pytest.raises(UsageError, match="lie in one another"):
        run_from(source, stored_source, location(f"{stored_source}{out}"))


def test_memory_is_refused_where_there_are_several_processes(source, memory):
    with pytest.raises(UsageError, match=r"memory of one process.*-j 1"):
        masked(source, memory / "out", running={"workers": 2})


def test_an_output_with_a_character_of_patterns_is_refused(source, memory):
    with pytest.raises(UsageError, match="part of a pattern"):
        masked(source, memory / "out[1]")


def test_a_picture_that_has_gone_since_it_was_listed_is_a_row(source, stored_source, memory, monkeypatch):
    listed = stored_run.mask_shard

    def remove_first(task, shard):
        (stored_source / "female/000.jpg").unlink(missing_ok=True)
        return listed(task, shard)

    monkeypatch.setattr(stored_run, "mask_shard", remove_first)
    run_from(source, stored_source, memory / "out", report=None)
    row = json.loads((memory / "out/manifest.jsonl").read_text().splitlines()[0])
    assert (row["status"], row["reason"]) == ("unreadable", "file not found")


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


def test_one_picture_and_a_landmark_file_by_url(memory, tmp_path):
    (memory / "in.jpg").write_bytes((DATASETS["sample"].ships_in / "eileen_collins_face.jpg").read_bytes())
    assert main(["apply", "memory://test/in.jpg", "memory://test/out.png", "-q"]) == 0
    assert (memory / "out.png").read_bytes().startswith(b"\x89PNG")
    assert main(["apply", "memory://test/in.jpg", "memory://test/in.jpg"]) == 2
    assert main(["landmarks", "--dataset", "sample", "--limit", "1", "--out", "memory://test/l", "-q"]) == 0
    assert len((memory / "l").read_text().splitlines()) == 1
