"""How many processors this process may use, which on shared machines is fewer than there are."""

from __future__ import annotations


def usable_cores() -> int:
    """Processors that the scheduler gives this process: within its affinity and its control group's quota.

    A job of SLURM or a container that was given four of 128 is not helped by 128 workers.
    """
    # Slow to import.
    from joblib import cpu_count

    return int(cpu_count())
