"""Processes that an image ends, as native code that crashes and a lack of memory do."""

import json
import signal

import pytest
from processes import environment, finish
from saboteur import FATAL, sabotage
from small_runs import differing, tree, write_dataset

from maskgen.engine import run_tasks
from maskgen.errors import LostWorkersError

GUILTY = "male/005.jpg"


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


def check_that_only_the_guilty_suffers(files, expected, signal_name):
    found, wanted = rows(files), rows(expected)
    guilty = found.pop(GUILTY)
    assert guilty["status"] == "error"
    assert (
        guilty["reason"].startswith("it ended the process that masked it: ")
        and signal_name in guilty["reason"]
    )
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
    check_that_only_the_guilty_suffers(tree(out), expected, number.name)
    code, said = finish(root, out, 2, **{"retry-failed": True})
    assert code == 0, said
    assert differing(tree(out), expected) == []


def test_a_crash_in_the_only_process_ends_the_run_and_the_same_command_goes_on(undisturbed, tmp_path):
    root, expected = undisturbed
    out, env = tmp_path / "out", fatal(tmp_path, signal.SIGSEGV)
    assert finish(root, out, env=env)[0] == -signal.SIGSEGV
    code, said = finish(root, out, env=env)
    assert code == 0, said
    check_that_only_the_guilty_suffers(tree(out), expected, "SIGSEGV")


def die_at_three(number):
    if number == 3:
        signal.raise_signal(signal.SIGABRT)
    return number


def test_a_single_worker_apart_may_die_without_this_process():
    done = []
    with pytest.raises(LostWorkersError, match="SIGABRT"):
        done.extend(run_tasks(die_at_three, range(9), apart=True))
    assert list(run_tasks(die_at_three, range(3), apart=True)) == [0, 1, 2]
