"""``examples/benchmark_train_input.py`` over a few images that it makes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from clusters import environment
from train_data import needs_train, write

pytestmark = needs_train

REPOSITORY = Path(__file__).parents[2]


def benchmark(folder, *arguments):
    """A run of it with its temporary files in the folder."""
    return subprocess.run(
        [sys.executable, REPOSITORY / "examples" / "benchmark_train_input.py", *arguments],
        env={**environment(), "CUDA_VISIBLE_DEVICES": "", "TMPDIR": os.fspath(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_how_fast_it_feeds_and_what_it_adds_are_told_beside_their_bars(tmp_path):
    few = ("--pictures", "70", "--side", "64", "--size", "32", "--rounds", "1")
    done = benchmark(tmp_path, *few, "--model", "tiny-cnn=32=64", "--json")
    assert done.returncode == 0, done.stderr
    *lines, last = done.stdout.splitlines()
    found = json.loads(last)
    what = ("feed", "feed, augmented", "overhead, tiny-cnn at 32")
    assert set(found) == {name + by for name in what for by in ("", ", by CPU")}
    assert all(value > 0 for value in found.values())
    (feed,) = [line for line in lines if line.startswith("feed: ")]
    assert f"{found['feed']:.2f} of bare (bar: at least 0.8)" in feed
    (added,) = [line for line in lines if line.startswith("tiny-cnn at 32: ")]
    assert f"{found['overhead, tiny-cnn at 32']:.2f} times that on files (bar: at most 1.15)" in added
    assert not list(tmp_path.iterdir()), "its images are gone"


def test_a_folder_without_pictures_is_told_of(tmp_path):
    write(tmp_path / "broken.jpg", b"no image")
    done = benchmark(tmp_path, "--folder", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no JPEG that can be decoded" in done.stderr
