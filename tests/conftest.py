"""What holds for all tests."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from maskgen.landmarks.model_files import VARIABLE, find_models

# The first call of a compiled loop takes seconds on a fresh machine, and a loaded one is slow at any time:
# neither says anything of what a property is about.
settings.register_profile("maskgen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("maskgen")

# A shell that starts the tests in the background has them ignore SIGINT, and every process they start with
# them, which then cannot be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """Fetch the landmark models before the first test: some tests have another home or no network."""
    folders = {path.parent for path in find_models().values()}
    if len(folders) == 1:
        os.environ.setdefault(VARIABLE, str(folders.pop()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Let a process that is done take tests from one that is not: one that has the slow ones is not alone."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)
