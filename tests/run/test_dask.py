"""A Dask cluster: a scheduler and two workers, all real processes, over a folder they share."""

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from clusters import dask_scheduler, dask_worker, finished, synth, wait_until
from PIL import Image
from small_runs import differing, tree, write_dataset

from maskgen.errors import EXIT_INTERRUPTED, EXIT_USAGE, ClusterError
from maskgen.run.executors import cluster
from maskgen.run.executors.executor import run_tasks

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a dataset, and in ``alone`` what one process makes of it."""
    folder = tmp_path_factory.mktemp("desk")
    write_dataset(folder / "faces", count=20, size=(420, 480))
    run = synth(folder, "--out", "alone")
    said = finished(run)
    assert run.returncode == 0, said
    return folder


@contextmanager
def two_workers(folder):
    """(address, [worker, worker])."""
    with ExitStack() as stack:
        address, _ = stack.enter_context(dask_scheduler(folder))
        workers = [stack.enter_context(dask_worker(address, folder / name)) for name in ("one", "two")]
        yield address, workers


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a cluster whose workers nobody kills."""
    with two_workers(tmp_path_factory.mktemp("cluster")) as (address, _):
        yield address


@pytest.mark.skipif(sys.platform != "linux", reason="which files a process has open is told by /proc")
def test_a_run_whose_worker_is_killed_half_way_leaves_the_bytes_of_one_process(desk, tmp_path):
    with two_workers(tmp_path) as (address, (one, _)):
        run_and_kill(desk, address, one)


def run_and_kill(desk, address, one):
    out = desk / "killed"
    run = synth(desk, "--out", "killed", "--backend", "dask", "--scheduler", address)
    wait_until(lambda: list(out.glob(".maskgen/shards/*.json")) and is_caught_at_a_shard(one, out), [run])
    one.kill()
    said = finished(run)
    assert run.returncode == 0, said
    assert differing(tree(out), tree(desk / "alone")) == []
    assert "Traceback" not in said


def is_caught_at_a_shard(worker, out):
    """Whether a worker, now stopped, has a shard's rows open, as Linux tells; it goes on if it has not."""
    worker.send_signal(signal.SIGSTOP)
    scratch = str(out / ".maskgen" / "tmp")
    for file in Path(f"/proc/{worker.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if os.readlink(file).startswith(scratch):  # noqa: PTH115
                return True
    worker.send_signal(signal.SIGCONT)
    return False


def test_an_interrupted_run_leaves_no_partial_file_and_goes_on(desk, address):
    out = desk / "interrupted"
    options = ("--out", "interrupted", "--backend", "dask", "--scheduler", address)
    run = synth(desk, *options)
    wait_until(lambda: list(out.glob(".maskgen/tmp/*-*")), [run])
    run.send_signal(signal.SIGINT)
    said = finished(run)
    assert run.returncode == EXIT_INTERRUPTED
    assert said.splitlines()[-1] == "maskgen: interrupted; run the same command again to resume"
    assert "Traceback" not in said
    for path in out.rglob("*.jpg"):
        with Image.open(path) as picture:
            picture.load()
    again = synth(desk, *options)
    said = finished(again)
    assert again.returncode == 0, said
    assert differing(tree(out), tree(desk / "alone")) == []


def test_results_come_as_they_are_ready_and_tasks_are_taken_lazily(address):
    taken = []

    def tasks():
        for number in range(1000):
            taken.append(number)
            yield -number

    results = run_tasks(abs, tasks(), backend="dask", scheduler=address)
    assert {next(results) for _ in range(20)} <= set(range(40))
    results.close()
    assert len(taken) < 40


def test_a_scheduler_that_goes_away_is_told(tmp_path):
    with dask_scheduler(tmp_path) as (address, scheduler), dask_worker(address, tmp_path / "worker"):
        results = run_tasks(time.sleep, [0, 60], backend="dask", scheduler=address)
        next(results)
        scheduler.kill()
        with pytest.raises(ClusterError, match="the same command again"):
            next(results)


def test_a_cluster_without_a_worker_is_waited_for(tmp_path, caplog):
    with dask_scheduler(tmp_path) as (address, _), ExitStack() as stack:

        def late():
            stack.enter_context(dask_worker(address, tmp_path / "worker"))

        threading.Timer(0.5, late).start()
        assert list(run_tasks(abs, [-1], backend="dask", scheduler=address)) == [1]
    assert "no worker; waiting for one" in caplog.text


def test_what_a_task_raises_arrives(address):
    with pytest.raises(TypeError, match="bad operand"):
        list(run_tasks(abs, ["text"], backend="dask", scheduler=address))


def test_a_worker_that_does_not_see_the_folder_is_told(address, tmp_path):
    missing = tmp_path / "not-mounted"
    with pytest.raises(ClusterError, match=r"does not see .*not-mounted; source and output"):
        list(run_tasks(abs, [1], backend="dask", scheduler=address, needs=[missing]))


def test_a_worker_with_other_versions_is_told(address, monkeypatch):
    monkeypatch.setattr(cluster, "versions", lambda: {"opencv": "4.5.0"})
    with pytest.raises(ClusterError, match=r'opencv was "4\.5\.0", now'):
        list(run_tasks(abs, [1], backend="dask", scheduler=address))


def test_workers_without_maskgen_are_told(tmp_path):
    with (
        dask_scheduler(tmp_path) as (address, _),
        dask_worker(address, tmp_path / "worker", has_maskgen=False),
        pytest.raises(ClusterError, match="install maskgen"),
    ):
        list(run_tasks(abs, [1], backend="dask", scheduler=address))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--scheduler", "tcp://127.0.0.1:9"], "no Dask scheduler answers at tcp://127.0.0.1:9"),
        (["--scheduler", "nonsense://x"], "no Dask scheduler answers at nonsense://x"),
        ([], "--backend dask needs --scheduler, such as tcp://host:8786"),
    ],
)
def test_no_scheduler_is_told_in_a_line(desk, tmp_path, options, expected):
    run = synth(desk, "--out", tmp_path / "out", "--backend", "dask", *options)
    said = finished(run, seconds=30)
    assert run.returncode == EXIT_USAGE
    assert expected in said and len(said.splitlines()) <= 2, said
