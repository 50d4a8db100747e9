"""Kills real runs at random moments and runs each again: the bytes must be those of an undisturbed run.

``PYTHONPATH=. python tests/kills.py 50`` kills fifty. What is killed is drawn for each: the driver, one of
its processes or all at once; by SIGKILL, SIGTERM or SIGINT; with one process or two; at a moment between
the run's first and its last file.
"""

import os
import random
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from processes import children, end, finish, send, start, wait_until
from small_runs import differing, tree, write_dataset

VICTIMS = ("driver", "worker", "all")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
COUNT = 24


def began(out):
    return (out / ".maskgen" / "config.json").exists()


def kill_one(root, out, expected, seconds, draw):
    """(what was done and came of it, whether anything was killed, whether the bytes are the same)."""
    victim, number = draw.choice(VICTIMS), draw.choice(SIGNALS)
    jobs = 2 if victim == "worker" else draw.choice((1, 2))
    moment = draw.uniform(0, seconds[jobs])
    process = start(root, out, jobs)
    try:
        wait_until(lambda: began(out), process)
        time.sleep(moment)
        alive = process.poll() is None
        targets = [process.pid] if victim != "worker" else children(process.pid)
        hit = alive and bool(targets) and send(draw.choice(targets), number, group=victim == "all")
        if victim == "driver" and number == signal.SIGKILL:
            code = process.wait(60)  # its workers may still be at it
        else:
            code = (process.communicate(timeout=240), process.returncode)[1]
        again, said = finish(root, out, jobs)
    finally:
        end(process)
    names = differing(tree(out), expected) if began(out) else ["nothing is there"]
    same = again == 0 and not names
    name = signal.Signals(number).name
    told = f"{name} to {victim}, {jobs} jobs, after {moment:.2f} s: exit {code}, then {again}"
    return told + ("" if same else f"; differing: {names} {said}"), hit, same


def kill(times, folder, say=print):
    """How many of so many killed runs came to the bytes of an undisturbed one."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell starts background jobs so, and they hand it on.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    root = write_dataset(folder / "faces", count=COUNT)
    seconds = {}
    for jobs in (1, 2):
        out = folder / f"undisturbed-{jobs}"
        process = start(root, out, jobs)
        wait_until(partial(began, out), process)
        first = time.monotonic()
        said = process.communicate(timeout=240)[1]
        assert process.returncode == 0, said
        seconds[jobs] = time.monotonic() - first
    expected = tree(folder / "undisturbed-1")
    assert differing(tree(folder / "undisturbed-2"), expected) == []
    killed = identical = tried = 0
    draw = random.Random(int(os.environ.get("MASKGEN_KILL_SEED", "0")))
    while killed < times:
        tried += 1
        told, hit, same = kill_one(root, folder / f"out-{tried}", expected, seconds, draw)
        verdict = ("identical" if same else "DIFFERENT") + ("" if hit else " (it was over)")
        say(f"{killed + hit:3}. {told}: {verdict}")
        killed += hit
        identical += hit and same
        assert hit or same, "a run that nobody killed"
    say(f"{identical} of {killed} identical")
    return identical


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as made:
        sys.exit(0 if kill(wanted, Path(made)) == wanted else 1)
