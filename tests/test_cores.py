"""A job that was given one of a machine's processors starts one worker, and as many threads as it can use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

PROGRAM = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from maskgen.run.job import _processes
from maskgen.process import usable_cores
print(usable_cores(), [_processes(workers) for workers in (-1, -2, 3)])
"""


def test_a_system_without_semaphores_starts_no_workers_and_joblib_says_nothing_of_its_own():
    program = "import sys; sys.modules['_multiprocessing'] = None; from maskgen.process import *; "
    done = subprocess.run(
        [sys.executable, "-c", program + "print(can_start_workers(), usable_cores() > 0)"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("False True\n", "")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process is bound to a processor here")
def test_only_the_processors_a_job_was_given_are_counted():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.stdout == "1 [1, 1, 3]\n", done.stderr
