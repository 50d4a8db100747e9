"""Real `maskgen` processes over tiny datasets, to be killed, starved and locked out."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_runs import landmark_file, template_file

REPOSITORY = Path(__file__).parents[1]

# As Linux numbers them: to write where the permissions forbid it, and to read there.
_DAC_OVERRIDE, _DAC_READ_SEARCH, _PR_CAPBSET_DROP = 1, 2, 24


def environment(*first, **more):
    """That of this process without its maskgen options; ``first`` are folders to import from before all."""
    # OpenCV's limit was set by what this process has called.
    own = ("MASKGEN_", "OPENCV_IO_MAX")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    path = [*map(str, first), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return {**inherited, "PYTHONPATH": os.pathsep.join(filter(None, path)), **more}


def arguments(root, out, jobs=1, **options):
    """`maskgen synth` over a folder that `small_runs.write_dataset` wrote."""
    chosen = {
        "dataset": "folder",
        "root": root,
        "out": out,
        "landmarks": landmark_file(root),
        "template": template_file(root),
        "label": "gender",
        "shard-size": 4,
        "jobs": jobs,
        **options,
    }
    words = [sys.executable, "-m", "maskgen", "synth"]
    for name, value in chosen.items():
        words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return words


def start(root, out, jobs=1, *, env=None, limit=None, **options):
    """Such a run, in a session of its own; ``limit`` is called in it before it begins."""
    return subprocess.Popen(
        arguments(root, out, jobs, **options),
        env=env or environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=limit,  # noqa: PLW1509
    )


def finish(root, out, jobs=1, **how):
    """Its exit code and what it said on stderr."""
    process = start(root, out, jobs, **how)
    said = process.communicate(timeout=240)[1]
    return process.returncode, said


def wait_until(happened, process, seconds=120):
    """Until that is so; the process must not end before."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def wait_for_pictures(out, count, process):
    wait_until(lambda: len(list(out.glob("*male/*.jpg"))) >= count, process)


def children(pid):
    """Process ids of the children, as Linux tells them; none on other systems."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, path.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def send(pid, number, *, group=False):
    """Send a signal; False if there is no such process any more."""
    try:
        (os.killpg if group else os.kill)(pid, number)
    except ProcessLookupError:
        return False
    return True


def end(process):
    """End a process of ours, and all that it has started, whatever state it is in."""
    send(process.pid, signal.SIGKILL, group=True)
    process.communicate()


def heed_permissions():
    """Called in a process of root's before it begins: what the permissions forbid is then forbidden to it."""
    if os.geteuid() == 0:
        system = ctypes.CDLL(None)
        for power in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
            # Where this is not allowed, `skip_unless_permissions_are_heeded` finds out.
            system.prctl(_PR_CAPBSET_DROP, power, 0, 0, 0)


def skip_unless_permissions_are_heeded(folder):
    """Skip the test where no process can be made to heed permissions: root may lack the power to."""
    forbidden = folder / "forbidden"
    forbidden.mkdir(mode=0o500)
    program = "import pathlib, sys; pathlib.Path(sys.argv[1], 'x').touch()"
    done = subprocess.run(
        [sys.executable, "-c", program, str(forbidden)],
        preexec_fn=heed_permissions,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        pytest.skip("permissions are not heeded here")
