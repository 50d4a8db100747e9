"""Tasks spread over processes: lazily, with their exceptions, and with workers that die."""

import itertools
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest
from small_runs import job, tree, write_dataset

from maskgen.errors import ConfigurationError, UsageError
from maskgen.run import job as batch
from maskgen.run.executors import executor
from maskgen.run.executors.executor import LostWorkersError, interruptible, run_tasks


def double(number):
    return 2 * number


def die_at_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def ignores_interrupts(_):
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


@pytest.mark.parametrize("workers", [1, 2])
def test_all_tasks_are_done(workers):
    assert sorted(run_tasks(double, range(20), workers=workers)) == list(range(0, 40, 2))


@pytest.mark.parametrize("how", [{"workers": 2}, {"workers": -1}, {"apart": True}])
def test_where_no_process_can_be_started_this_one_does_the_work_and_a_line_says_so(monkeypatch, caplog, how):
    monkeypatch.setattr(executor, "can_start_workers", lambda: False)
    assert list(run_tasks(lambda _: os.getpid(), range(3), **how)) == [os.getpid()] * 3
    (said,) = caplog.messages
    assert "/dev/shm" in said and "one process does the work" in said


@pytest.mark.parametrize("workers", [1, 2])
def test_an_endless_list_of_tasks_is_taken_lazily(workers):
    with closing(run_tasks(double, itertools.count(), workers=workers)) as results:
        assert len(list(itertools.islice(results, 5))) == 5


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_of_the_list_of_tasks_arrives(workers):
    def tasks():
        yield from range(9)
        raise ConfigurationError("the dataset has changed")

    done = []
    with pytest.raises(ConfigurationError, match="has changed"):
        done.extend(run_tasks(double, tasks(), workers=workers))


def test_a_worker_that_dies_is_told():
    with pytest.raises(LostWorkersError):
        list(run_tasks(die_at_three, range(50), workers=2))
    assert sorted(run_tasks(double, range(3), workers=2)) == [0, 2, 4]


@pytest.mark.parametrize("how", ["workers=2", "apart=True"])
def test_nothing_is_said_of_a_semaphore_that_is_gone_when_a_run_ends(how):
    """It is registered too late: as by a worker that is still starting."""
    script = (
        "from maskgen.run.executors.executor import run_tasks\n"
        f"assert sorted(run_tasks(abs, range(4), {how})) == [0, 1, 2, 3]\n"
        "from joblib.externals.loky.backend import resource_tracker\n"
        "resource_tracker.register('/gone', 'semlock')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    # The tracker ends after its parent.
    assert done.stderr == ""


def test_workers_leave_interrupts_to_the_driver():
    assert all(run_tasks(ignores_interrupts, range(4), workers=2))


def test_an_unknown_backend_is_refused():
    with pytest.raises(UsageError, match="loky, dask, ray"):
        run_tasks(double, [], backend="threads")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_interrupt(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert signal.getsignal(number) == before


def test_an_interrupt_that_is_ignored_stays_ignored():
    script = (
        "import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from maskgen.run.executors.executor import interruptible\n"
        "with interruptible(): os.kill(os.getpid(), signal.SIGINT)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_shards_of_dead_workers_are_done_again_by_fewer(tmp_path, monkeypatch, caplog):
    """A process dies at once, then another after one shard; the rest is done in this process."""
    root, out = write_dataset(tmp_path / "faces"), tmp_path / "out"
    real, asked = batch.run_tasks, []

    def fragile(function, tasks, *, workers, **how):
        asked.append(workers)
        results = real(function, tasks, workers=1, **how)
        yield from itertools.islice(results, len(asked) - 1) if workers > 1 else results
        if workers > 1:
            raise LostWorkersError("a worker process died")

    monkeypatch.setattr(batch, "run_tasks", fragile)
    counts = batch.run(job(root, out), workers=4, progress=False)
    assert asked == [4, 2, 1]
    assert counts.samples == 10
    assert "continuing with 2" in caplog.text
    assert ".maskgen/shards/000003.json" in tree(out)
