"""How many processors and processes a run may use, which on shared machines are fewer than there are."""

from __future__ import annotations

import warnings
from types import ModuleType


def usable_cores() -> int:
    """Processors that the scheduler gives this process: within its affinity and its control group's quota.

    A job of SLURM or a container that was given four of 128 is not helped by 128 workers.
    """
    return int(_import_joblib().cpu_count())


def can_start_workers() -> bool:
    """Whether joblib can start worker processes: they need semaphores, and on Linux these need /dev/shm."""
    return bool(_import_joblib().effective_n_jobs(2) > 1)


def _import_joblib() -> ModuleType:
    """joblib, which is slow to import, without the warning that it cannot start processes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import joblib
    return joblib  # type: ignore[no-any-return]
