"""``examples/benchmark_transforms.py`` over few images: what it measures is there."""

import json
import subprocess
import sys
from pathlib import Path

from clusters import environment

SCRIPT = Path(__file__).parents[1] / "examples" / "benchmark_transforms.py"


def test_it_measures_masks_and_memory(tmp_path):
    arguments = ["--images", "3", "--rounds", "1", "--json", "figures.json"]
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert {"Masker, overlay", "Masker, poisson"} <= set(figures["rows"])
    assert all(row["masks_per_cpu_second"] > 1 for row in figures["rows"].values())
    assert all(50 < megabytes < 1000 for megabytes in figures["worker_megabytes"].values())
    for name in figures["rows"]:
        assert name in done.stdout
