"""Real schedulers and workers on loopback, and `maskgen synth` as a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
HIDDEN = "import sys; sys.modules['maskgen'] = None; from distributed.cli.dask_worker import main; main()"


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])}


@contextlib.contextmanager
def process(*command, folder):
    """A process in a folder of its own that ends with the block; what it says is in ``folder/said.txt``."""
    folder.mkdir(exist_ok=True)
    with (folder / "said.txt").open("ab") as said:
        started = subprocess.Popen(
            [sys.executable, *map(str, command)], cwd=folder, env=environment(), stdout=said, stderr=said
        )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def wait_until(condition, running=(), seconds=60):
    """The condition's value once it is true; the processes that it needs must not end before."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        for one in running:
            assert one.poll() is None, one.communicate()[1]
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.005)
    return value


@contextlib.contextmanager
def dask_scheduler(folder):
    """(address, process) of a scheduler without workers."""
    told = folder / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", told)
    with process("-m", "distributed.cli.dask_scheduler", *options, folder=folder / "scheduler") as started:
        wait_until(lambda: told.exists() and told.stat().st_size, [started])
        yield json.loads(told.read_text())["address"], started


def dask_worker(address, folder, *, has_maskgen=True):
    """A worker with one thread and no nanny, started in a folder of its own."""
    program = ("-m", "distributed.cli.dask_worker") if has_maskgen else ("-c", HIDDEN)
    options = ("--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", folder)
    return process(*program, address, *options, folder=folder)


def synth(folder, *options):
    """`maskgen synth` over ``folder/faces``, as `small_runs.write_dataset` makes it, with relative paths."""
    fixed = (
        *("--dataset", "folder", "--root", "faces", "--landmarks", "faces_landmarks.jsonl"),
        *("--template", "plain.png", "--blend", "poisson", "--label", "gender"),
        *("--pairs", "--alpha", "--shard-size", 4),
    )
    return subprocess.Popen(
        [sys.executable, "-m", "maskgen", "synth", *map(str, (*fixed, *options))],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(run, seconds=120):
    """What a run said on stderr, once it has ended."""
    return run.communicate(timeout=seconds)[1]


class Attempts:
    """Watches a run's scratch folders: which shards have been begun, and how often."""

    def __init__(self, out):
        self._scratch = out / ".maskgen" / "tmp"
        self._seen = {}

    def look(self):
        """Whether any shard is under way now, with a row written."""
        busy = False
        for path in self._scratch.glob("*-*/rows.jsonl"):
            self._seen.setdefault(path.parent.name.split("-")[0], set()).add(path.parent.name)
            with contextlib.suppress(FileNotFoundError):
                busy = busy or path.stat().st_size > 0
        return busy

    def repeated(self):
        """The shards that were begun more than once."""
        return [shard for shard, names in self._seen.items() if len(names) > 1]
