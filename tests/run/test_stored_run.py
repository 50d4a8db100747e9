"""Runs from and into fsspec's memory and local file systems: the bytes of a run between two folders."""

import json

import pytest
from small_runs import differing, masked, tree, write_dataset
from small_stores import but_root, fresh_memory, run_from, stored, upload

from maskgen.errors import ConfigurationError
from maskgen.files.remote import location
from maskgen.run import remote_run_dir
from maskgen.run.job import merge
from maskgen.run.remote_run_dir import run_folder

EVERYTHING = {"variants": 2, "pairs": True, "alpha": True, "layout": "folders"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces")


@pytest.fixture
def memory():
    return fresh_memory("memory://test")


@pytest.fixture
def stored_source(source, memory):
    """The dataset in memory, its landmarks and template beside the local one."""
    return upload(source, memory / "faces")


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
    """Ends the run at the so-manieth upload of a shard's rows, images or stats."""
    calls = []

    def counted(function):
        def call(*arguments):
            calls.append(arguments)
            if len(calls) == count:
                raise Killed
            return function(*arguments)

        return call

    for name in ("put", "put_each"):
        monkeypatch.setattr(remote_run_dir, name, counted(getattr(remote_run_dir, name)))


# Each of the four shards uploads its rows, its images and its stats.
@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
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
    for name in list(before)[: 3 * done]:
        assert made_at(out / name) == before[name], "a finished shard was done again"


def made_at(path):
    return path.fs.created(path.path)


@pytest.mark.parametrize("count", [2, 3, 5])
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
    monkeypatch.setattr(remote_run_dir, "mask_shard", None)
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
