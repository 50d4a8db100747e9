"""A run that ends at any of its file operations, or whose files are damaged: the same command mends it."""

import logging
import os
from dataclasses import replace

import pytest
from crash_points import ends_before
from small_runs import differing, job, tree, write_dataset

from maskgen.files.atomic import write_atomic
from maskgen.results import run_record
from maskgen.run.job import run
from maskgen.run.state import output_claim
from maskgen.run.state.run_dir import RunDir

ALL = {"pairs": True, "alpha": True, "shard_size": 1}
LAYOUTS = ("mirror", "folders", "webdataset")


def report(out):
    """The two files of the final report, without the time that it takes to draw them."""
    for name in ("preview.jpg", "README.md"):
        write_atomic(out / name, name.encode() * 20)


def mask(root, out, layout, sync=False):
    """A run with every kind of file; not to wait for the disk changes no byte."""
    return run(replace(job(root, out, layout=layout, **ALL), sync=sync), progress=False, report=report)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Leaves out what takes longer than all else in a run over two small images."""
    found = run_record.versions()
    for module in (output_claim, run_record):
        monkeypatch.setattr(module, "versions", lambda: found)
    # After a kill the next run works in a process apart, which takes seconds to start.
    monkeypatch.setattr(RunDir, "has_leftovers", lambda folder: False)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces", count=2, size=(60, 70))


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    """Layout -> tree of a run that nothing disturbs."""
    outs = {layout: tmp_path_factory.mktemp("undisturbed") / "out" for layout in LAYOUTS}
    for layout, out in outs.items():
        mask(source, out, layout, sync=True)
    return {layout: tree(out) for layout, out in outs.items()}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_run_that_ends_at_any_file_operation_goes_on_to_the_same_bytes(
    source, undisturbed, tmp_path, layout
):
    count, ended = 0, True
    while ended:
        count += 1
        out = tmp_path / str(count)
        ended = ends_before(count, out, lambda out=out: mask(source, out, layout))
        mask(source, out, layout)
        assert differing(tree(out), undisturbed[layout]) == [], f"ended before operation {count}"
    # Two shards of three files or a tar, their rows, lists and stats, and the final files.
    assert count > 50


DAMAGE = {
    "emptied": lambda data: b"",
    "halved": lambda data: data[: len(data) // 2],
    "zeroed": lambda data: bytes(len(data)),
    "zeroed to its end": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "deleted": lambda data: None,
    "of another type": lambda data: b"[3]",
    "no JSON": lambda data: b"\xff{",
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_file_of_a_finished_run_that_is_damaged_is_mended_by_the_same_command(
    source, undisturbed, tmp_path, caplog, layout, how
):
    out = tmp_path / "out"
    mask(source, out, layout)
    for name, data in undisturbed[layout].items():
        damaged = DAMAGE[how](data)
        if damaged == data:
            continue  # a tar ends in zeros
        if damaged is None:
            (out / name).unlink()
        else:
            (out / name).write_bytes(damaged)
        caplog.clear()
        mask(source, out, layout)
        assert differing(tree(out), undisturbed[layout]) == [], f"{name} {how}"
        said = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert 1 <= len(said) <= 3 or (not said and name.startswith(".maskgen/")), f"{name} {how}: {said}"
