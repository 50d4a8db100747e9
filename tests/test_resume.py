"""Real processes that are killed or interrupted: run again, they leave the bytes of an undisturbed run.

``MASKGEN_KILLS`` says how often each kind of run is killed.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from small_runs import differing, landmark_file, template_file, tree, write_dataset

from maskgen.errors import EXIT_INTERRUPTED

REPOSITORY = Path(__file__).parents[1]
KILLS = int(os.environ.get("MASKGEN_KILLS", "2"))


def start(root, out, jobs=1):
    """`maskgen synth` over the dataset, in a session of its own."""
    options = [
        *("--dataset", "folder", "--root", root, "--out", out, "--landmarks", landmark_file(root)),
        *(
            "--template",
            template_file(root),
            "--blend",
            "poisson",
            "--label",
            "gender",
            "--pairs",
            "--alpha",
            "--shard-size",
            4,
            "-j",
            jobs,
        ),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "maskgen", "synth", *map(str, options)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_pictures(out, count, process):
    """Until so many pictures are there; the run must not end before."""
    deadline = time.monotonic() + 60
    while len(list(out.glob("*male/*.jpg"))) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(root, tree, seconds from the first picture to the end) of a run that nobody kills."""
    root = write_dataset(tmp_path_factory.mktemp("data") / "faces", count=36, size=(420, 480))
    out = root.with_name("out")
    process = start(root, out)
    wait_for_pictures(out, 1, process)
    began = time.monotonic()
    assert process.wait() == 0, process.communicate()[1]
    return root, tree(out), time.monotonic() - began


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_run_goes_on_to_the_same_bytes(undisturbed, tmp_path, jobs, kill):
    root, expected, seconds = undisturbed
    moment = random.Random(f"{jobs} {kill}").uniform(0, seconds / jobs)
    out = tmp_path / "out"
    process = start(root, out, jobs)
    wait_for_pictures(out, 1, process)
    time.sleep(moment)
    process.kill()
    process.wait()
    # At once: with two jobs, the workers of the killed driver may still be at it.
    again = start(root, out, jobs)
    assert again.wait() == 0, again.communicate()[1]
    assert differing(tree(out), expected) == []


@pytest.mark.parametrize(
    ("number", "jobs", "whole_group"),
    [(signal.SIGINT, 1, True), (signal.SIGINT, 2, True), (signal.SIGTERM, 2, False)],
    ids=["Ctrl-C", "Ctrl-C with two jobs", "SIGTERM"],
)
def test_an_interrupted_run_leaves_no_partial_file_and_goes_on(
    undisturbed, tmp_path, number, jobs, whole_group
):
    root, expected, _ = undisturbed
    out = tmp_path / "out"
    process = start(root, out, jobs)
    wait_for_pictures(out, 6, process)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == EXIT_INTERRUPTED
    assert said.split("\n")[-2:] == ["maskgen: interrupted; run the same command again to go on", ""]
    assert "Traceback" not in said

    assert list((out / ".maskgen" / "tmp").iterdir()) == []
    assert not (out / "manifest.jsonl").exists()
    for path in out.rglob("*.jpg"):
        with Image.open(path) as picture:
            picture.load()

    again = start(root, out)
    assert again.wait() == 0, again.communicate()[1]
    assert differing(tree(out), expected) == []


def test_workers_do_not_outlive_a_killed_driver(undisturbed, tmp_path):
    out = tmp_path / "out"
    process = start(undisturbed[0], out, jobs=2)
    wait_for_pictures(out, 1, process)
    process.kill()
    # Its workers hold the other end of the pipe for as long as they live.
    process.communicate(timeout=20)


def test_a_run_killed_at_its_end_writes_the_final_files_again(undisturbed, tmp_path):
    """As left by a kill between the last shard and the last final file."""
    root, expected, _ = undisturbed
    out = tmp_path / "out"
    assert start(root, out).wait() == 0
    (out / ".maskgen" / "finished.json").unlink()
    (out / "metadata.jsonl").unlink()
    (out / "maskgen.json").write_text("{")
    (out / ".maskgen-0123456789abcdef").write_text("half a fi")
    (out / ".maskgen" / "tmp").mkdir()
    assert start(root, out).wait() == 0
    assert differing(tree(out), expected) == []
