"""A Ray cluster on this machine, where Ray is installed: too large a package for the tests to demand."""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clusters import Attempts, environment, finished, synth, wait_until
from small_runs import differing, tree, write_dataset

from maskgen.errors import EXIT_USAGE

pytest.importorskip("ray")

# A cluster of two workers that waits to be killed; its address is the one line it prints.
CLUSTER = """\
import ray, time
context = ray.init(num_cpus=2, include_dashboard=False, logging_level=40, _temp_dir={folder!r},
                   object_store_memory=80_000_000)
print(context.address_info["address"], flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a dataset, and in ``alone`` what one process makes of it."""
    folder = tmp_path_factory.mktemp("desk")
    write_dataset(folder / "faces", count=28, size=(420, 480))
    run = synth(folder, "--out", "alone")
    said = finished(run)
    assert run.returncode == 0, said
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    # Newer Rays let nobody in who does not know the cluster's token; driver and cluster get the same.
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_AUTH_MODE", "token")
    patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    # Sockets have short names.
    folder = f"/tmp/maskgen-ray-{os.getpid()}"
    started = subprocess.Popen(
        [sys.executable, "-c", CLUSTER.format(folder=folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        text=True,
        start_new_session=True,
    )
    yield started.stdout.readline().strip()
    started.terminate()
    started.wait(30)
    patch.undo()
    subprocess.run(["rm", "-rf", folder], check=True)


def workers_of(out):
    """Process ids of the Ray workers that hold a file of the run's scratch folder open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            opened = [file.readlink() for file in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(path.is_relative_to(out / ".maskgen" / "tmp") for path in opened):
            found.append(int(process.name))
    return found


def test_a_run_whose_worker_is_killed_half_way_leaves_the_bytes_of_one_process(desk, address):
    out = desk / "killed"
    run = synth(desk, "--out", "killed", "--backend", "ray", "--scheduler", address)
    attempts = Attempts(out)
    wait_until(lambda: attempts.look() and len(list(out.glob(".maskgen/shards/*.json"))) >= 1, [run])
    os.kill(wait_until(lambda: workers_of(out), [run])[0], signal.SIGKILL)
    wait_until(lambda: attempts.look() is None or run.poll() is not None)
    said = finished(run)
    assert run.returncode == 0, said
    assert attempts.repeated(), "no shard was lost; the test shows nothing"
    assert differing(tree(out), tree(desk / "alone")) == []
    assert "Traceback" not in said


@pytest.mark.parametrize("scheduler", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_no_cluster_is_told_in_a_line(desk, tmp_path, scheduler):
    run = synth(desk, "--out", tmp_path / "out", "--backend", "ray", "--scheduler", scheduler)
    said = finished(run, seconds=30)
    assert run.returncode == EXIT_USAGE
    assert f"no Ray cluster answers at {scheduler}" in said and len(said.splitlines()) == 1, said
