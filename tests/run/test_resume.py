"""Real processes that are interrupted, or killed at their end: run again, they come to the same bytes."""

import os
import signal

import pytest
from PIL import Image
from processes import start, wait_for_pictures
from small_runs import differing, tree, write_dataset

from maskgen.errors import EXIT_INTERRUPTED

# All kinds of files that a run writes.
ALL = {"blend": "poisson", "pairs": True, "alpha": True}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(root, tree) of a run that nobody kills."""
    root = write_dataset(tmp_path_factory.mktemp("data") / "faces", count=36, size=(420, 480))
    out = root.with_name("out")
    process = start(root, out, **ALL)
    assert process.wait() == 0, process.communicate()[1]
    return root, tree(out)


@pytest.mark.parametrize(
    ("number", "jobs", "whole_group"),
    [(signal.SIGINT, 1, True), (signal.SIGINT, 2, True), (signal.SIGTERM, 2, False)],
    ids=["Ctrl-C", "Ctrl-C with two jobs", "SIGTERM"],
)
def test_an_interrupted_run_leaves_no_partial_file_and_goes_on(
    undisturbed, tmp_path, number, jobs, whole_group
):
    root, expected = undisturbed
    out = tmp_path / "out"
    process = start(root, out, jobs, **ALL)
    wait_for_pictures(out, 6, process)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == EXIT_INTERRUPTED
    assert said.split("\n")[-2:] == ["maskgen: interrupted; run the same command again to resume", ""]
    assert "Traceback" not in said

    assert list((out / ".maskgen" / "tmp").iterdir()) == []
    assert not (out / "manifest.jsonl").exists()
    for path in out.rglob("*.jpg"):
        with Image.open(path) as picture:
            picture.load()

    again = start(root, out, **ALL)
    assert again.wait() == 0, again.communicate()[1]
    assert differing(tree(out), expected) == []


def test_workers_do_not_outlive_a_killed_driver(undisturbed, tmp_path):
    out = tmp_path / "out"
    process = start(undisturbed[0], out, jobs=2, **ALL)
    wait_for_pictures(out, 1, process)
    process.kill()
    # Its workers hold the other end of the pipe for as long as they live.
    process.communicate(timeout=20)


def test_a_run_killed_at_its_end_writes_the_final_files_again(undisturbed, tmp_path):
    """As left by a kill between the last shard and the last final file."""
    root, expected = undisturbed
    out = tmp_path / "out"
    assert start(root, out, **ALL).wait() == 0
    (out / ".maskgen" / "finished.json").unlink()
    (out / "metadata.jsonl").unlink()
    (out / "maskgen.json").write_text("{")
    (out / ".maskgen-0123456789abcdef").write_text("half a fi")
    (out / ".maskgen" / "tmp").mkdir()
    assert start(root, out, **ALL).wait() == 0
    assert differing(tree(out), expected) == []
