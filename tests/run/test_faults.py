"""What goes wrong around a real run: it says so in a line, and the next run comes to undisturbed bytes."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import (
    arguments,
    end,
    environment,
    finish,
    heed_permissions,
    skip_unless_permissions_are_heeded,
    start,
    wait_for_pictures,
)
from saboteur import CLOCK, sabotage
from small_runs import differing, tree, write_dataset

from maskgen.errors import EXIT_USAGE


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(root, tree) of a run that nothing disturbs."""
    root = write_dataset(tmp_path_factory.mktemp("data") / "faces", count=12)
    code, said = finish(root, root.with_name("out"))
    assert code == 0, said
    return root, tree(root.with_name("out"))


def check_goes_on(undisturbed, out, **how):
    root, expected = undisturbed
    code, said = finish(root, out, **how)
    assert code == 0, said
    assert differing(tree(out), expected) == []


def check_one_line(said, *words):
    assert "Traceback" not in said
    *_, last = said.splitlines()
    assert last.startswith("maskgen: error: ")
    for word in words:
        assert word in last


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_may_grow_no_further(undisturbed, tmp_path, jobs):
    """As with a full disk or a quota, for any user."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))

    out = tmp_path / "out"
    code, said = finish(undisturbed[0], out, jobs, limit=limit)
    assert code == EXIT_USAGE
    check_one_line(said, f"{out} cannot be written: File too large", "run the same command again to resume")
    check_goes_on(undisturbed, out)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB, and a function that gives it more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, check=False) if shutil.which("mount") else None
    if done is None or done.returncode:
        pytest.skip("no file system may be mounted here")

    def remount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)

    yield disk, remount
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk(undisturbed, small_disk):
    disk, remount = small_disk
    code, said = finish(undisturbed[0], disk / "out", 2)
    assert code == EXIT_USAGE
    check_one_line(said, "cannot be written: No space left on device")
    remount("size=50m")
    check_goes_on(undisturbed, disk / "out")


def test_a_file_system_that_turns_read_only(undisturbed, small_disk):
    """None turns read-only while one of its files is open for writing: so the run is killed first."""
    disk, remount = small_disk
    remount("size=50m")
    process = start(undisturbed[0], disk / "out")
    wait_for_pictures(disk / "out", 1, process)
    end(process)
    remount("ro")
    code, said = finish(undisturbed[0], disk / "out")
    assert code == EXIT_USAGE
    check_one_line(said, "Read-only file system")
    remount("rw")
    check_goes_on(undisturbed, disk / "out")
    remount("ro")
    check_goes_on(undisturbed, disk / "out")


def test_an_output_whose_permissions_are_taken_away(undisturbed, tmp_path):
    skip_unless_permissions_are_heeded(tmp_path)
    out = tmp_path / "out"
    process = start(undisturbed[0], out, limit=heed_permissions)
    try:
        wait_for_pictures(out, 1, process)
        forbidden = [out, *(path for path in out.rglob("*") if path.is_dir())]
        for path in forbidden:
            # The shard that is under way may be gone.
            if path.exists():
                path.chmod(0o500)
        said = process.communicate(timeout=120)[1]
    finally:
        end(process)
    assert process.returncode == EXIT_USAGE
    check_one_line(said, f"{out} cannot be written: Permission denied")
    for path in forbidden:
        if path.exists():
            path.chmod(0o700)
    check_goes_on(undisturbed, out)


def test_a_source_that_vanishes_and_comes_back(undisturbed, tmp_path):
    root, expected = undisturbed
    out, last = tmp_path / "out", sorted(root.rglob("*.jpg"))[-1]
    away = tmp_path / "away.jpg"
    process = start(root, out)
    try:
        # The folder it is in is listed before the first image of that folder is masked.
        wait_for_pictures(out, 1, process)
        process.send_signal(signal.SIGSTOP)  # an image takes no longer than to look for one
        os.replace(last, away)  # noqa: PTH105
        process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=120)[1]
    finally:
        end(process)
        os.replace(away, last)  # noqa: PTH105
    assert process.returncode == 0, said
    again = "retry-failed"
    if "file not found" not in (out / "manifest.jsonl").read_text():
        # It was read before it went, and only the contact sheet has missed it.
        assert differing(tree(out), expected) in ([], ["preview.jpg"])
        again = "overwrite"
    check_goes_on(undisturbed, out, **{again: True})


def test_a_second_run_in_the_same_folder_is_refused_and_disturbs_nothing(undisturbed, tmp_path):
    root, expected = undisturbed
    out = tmp_path / "out"
    first = start(root, out, **{"shard-size": 4})
    try:
        wait_for_pictures(out, 1, first)
        os.kill(first.pid, 19)  # SIGSTOP: it holds the folder for as long as we like
        for more in ({}, {"overwrite": True}, {"shard": "1/2"}):
            code, said = finish(root, out, **more)
            assert code == EXIT_USAGE
            check_one_line(said, f"another run is at work in {out}")
        merge = [*arguments(root, out)[:3], "merge", str(out)]
        merged = subprocess.run(merge, env=environment(), capture_output=True, text=True, check=False)
        assert merged.returncode == EXIT_USAGE
        os.kill(first.pid, 18)  # SIGCONT
        said = first.communicate(timeout=120)[1]
    finally:
        end(first)
    assert first.returncode == 0, said
    assert differing(tree(out), expected) == []


def test_a_clock_that_runs_backwards_and_files_from_the_future(undisturbed, tmp_path):
    out = tmp_path / "out"
    process = start(undisturbed[0], out)
    wait_for_pictures(out, 1, process)
    end(process)
    future = time.time() + 10 * 365 * 86400
    for path in out.rglob("*"):
        os.utime(path, (future, future))
    check_goes_on(undisturbed, out, jobs=2, env=environment(sabotage(tmp_path / "clock", CLOCK)))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_result_on_stdout_that_cannot_be_written():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "maskgen", "datasets", "--json"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == EXIT_USAGE
    assert done.stderr == "maskgen: error: No space left on device\n"


def test_a_reader_of_stdout_that_goes_away_and_no_stdout_at_all(undisturbed, tmp_path):
    root, expected = undisturbed
    for name, ending in (("head", "--json | head -c 1"), ("closed", "--json >&-"), ("none", "2>&-")):
        out = tmp_path / name
        command = subprocess.list2cmdline(arguments(root, out))
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} {ending}"],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in ((0, 141) if name == "head" else (0,)), done.stderr
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr
        assert differing(tree(out), expected) == []
