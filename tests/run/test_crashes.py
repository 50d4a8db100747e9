"""Processes that an image ends or stops, as native code that crashes or hangs and a lack of memory do."""

import json
import signal

import pytest
from processes import end, environment, finish, start, wait_until
from saboteur import FATAL, sabotage
from small_runs import differing, masked, tree, write_dataset

from maskgen.errors import EXIT_INTERRUPTED, LostWorkersError
from maskgen.run.executors.executor import run_tasks
from maskgen.run.state.run_dir import RunDir
from maskgen.run.state.time_limit import NOTE

GUILTY = "male/005.jpg"
DIED = "it ended the process that masked it: "


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(root, tree) of a run over which nothing dies."""
    root = write_dataset(tmp_path_factory.mktemp("data") / "faces", count=8)
    code, said = finish(root, root.with_name("out"))
    assert code == 0, said
    return root, tree(root.with_name("out"))


def fatal(tmp_path, number):
    """The environment in which every process dies over the guilty image."""
    return environment(
        sabotage(tmp_path / "saboteur", FATAL), FATAL_PICTURE=GUILTY, FATAL_SIGNAL=str(int(number))
    )


def rows(files):
    return {row["id"]: row for row in map(json.loads, files["manifest.jsonl"].splitlines())}


def check_that_only_the_guilty_suffers(files, expected, *words):
    found, wanted = rows(files), rows(expected)
    guilty = found.pop(GUILTY)
    assert guilty["status"] == "error"
    assert all(word in guilty["reason"] for word in words)
    assert guilty["source"] == wanted.pop(GUILTY)["source"]
    assert found == wanted
    assert set(expected) - set(files) == {GUILTY}
    pictures = [name for name in files if name.endswith(".jpg") and name != "preview.jpg"]
    assert [name for name in pictures if files[name] != expected[name]] == []


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL], ids=["native crash", "out of memory"])
def test_an_image_that_ends_every_worker_gets_its_row_and_the_run_ends(undisturbed, tmp_path, number):
    root, expected = undisturbed
    out = tmp_path / "out"
    code, said = finish(root, out, 2, env=fatal(tmp_path, number))
    assert code == 0, said
    assert "one image at a time" in said and "Traceback" not in said
    check_that_only_the_guilty_suffers(tree(out), expected, DIED, number.name)
    code, said = finish(root, out, 2, **{"retry-failed": True})
    assert code == 0, said
    assert differing(tree(out), expected) == []


def test_one_job_works_in_a_process_apart_and_survives_its_crash(undisturbed, tmp_path):
    root, expected = undisturbed
    code, said = finish(root, tmp_path / "out", env=fatal(tmp_path, signal.SIGSEGV))
    assert code == 0, said
    check_that_only_the_guilty_suffers(tree(tmp_path / "out"), expected, DIED, "SIGSEGV")


@pytest.mark.parametrize(("lock", "jobs"), [("locked", 1), ("free", 2)])
def test_an_image_over_which_native_code_hangs_gets_its_row_and_the_run_ends(
    undisturbed, tmp_path, lock, jobs
):
    """With Python's lock held no thread of Python's could end the process."""
    root, expected = undisturbed
    out, env = tmp_path / "out", {**fatal(tmp_path, 0), "FATAL_HANG": lock}
    code, said = finish(root, out, jobs, env=env, **{"image-timeout": 3})
    assert code == 0, said
    assert said.count(f"{GUILTY}: a step took longer than --image-timeout") == 2
    check_that_only_the_guilty_suffers(tree(out), expected, "a step took longer than 3 s, twice")
    code, said = finish(root, out, jobs, **{"retry-failed": True})
    assert code == 0, said
    assert differing(tree(out), expected) == []


def named_in_a_note(scratch):
    try:
        return any(GUILTY in note.read_text() for note in scratch.glob("*/step"))
    except FileNotFoundError:  # of a shard that was done in between
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_of_one_job_that_hangs_in_native_code_is_interrupted_at_once(undisturbed, tmp_path, number):
    out, env = tmp_path / "out", {**fatal(tmp_path, 0), "FATAL_HANG": "locked"}
    process = start(undisturbed[0], out, env=env)
    try:
        wait_until(lambda: named_in_a_note(out / ".maskgen" / "tmp"), process)
        process.send_signal(number)
        said = process.communicate(timeout=10)[1]
    finally:
        end(process)
    assert process.returncode == EXIT_INTERRUPTED
    assert said.split("\n")[-2:] == ["maskgen: interrupted; run the same command again to resume", ""]


def test_an_image_that_hangs_in_a_run_into_a_store_is_found_among_its_shard(undisturbed, tmp_path):
    """Its scratch folder, and so the note, is lost with the process."""
    root, out = undisturbed[0], tmp_path / "out"
    env = {**fatal(tmp_path, 0), "FATAL_HANG": "free"}
    code, said = finish(root, f"local://{out}", env=env, **{"image-timeout": 3})
    assert code == 0, said
    guilty = rows(tree(out))[GUILTY]
    assert (guilty["status"], guilty["reason"][:30]) == ("error", "a step took longer than 3 s, t")


@pytest.mark.parametrize("times", [0, 1, 2])
def test_an_image_is_given_up_after_its_second_attempt(tmp_path, times):
    """Not after the first: a process that was suspended and woken up exceeds its limit too."""
    root, out = write_dataset(tmp_path / "faces", count=3), tmp_path / "out"
    folder = RunDir(out)
    masked(root, out)
    folder.forget(0)
    for _ in range(times):
        (folder.open_scratch(0) / NOTE).write_bytes(
            b'"male/001.jpg"\n'.ljust(1 << 16) + b"Timeout (0:02:00)!"
        )
    masked(root, out)
    assert rows(tree(out))["male/001.jpg"]["status"] == ("error" if times == 2 else "masked")
    assert folder.overdue(0) == {}


def die_at_three(number):
    if number == 3:
        signal.raise_signal(signal.SIGABRT)
    return number


def test_a_single_worker_apart_may_die_without_this_process():
    done = []
    with pytest.raises(LostWorkersError, match="SIGABRT"):
        done.extend(run_tasks(die_at_three, range(9), apart=True))
    assert list(run_tasks(die_at_three, range(3), apart=True)) == [0, 1, 2]
