"""``examples/benchmark.py`` over a few images: what it measures is there and adds up."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from clusters import environment
from documents import TEXT
from PIL import Image

try:
    import mediapipe
except ImportError:
    mediapipe = None

REPOSITORY = Path(__file__).parents[1]
PORTRAIT = REPOSITORY / "maskgen" / "datasets" / "sample" / "eileen_collins_face.jpg"
# mediapipe's own call, where the installed mediapipe has it.
BARE = "FaceMesh.process" if hasattr(mediapipe, "solutions") else "the two models alone"
STAGES = ("decode", "find", "mask overlay", "mask poisson", "encode")


def benchmark(folder, *arguments):
    """(what it prints, its JSON)"""
    done = subprocess.run(
        [sys.executable, REPOSITORY / "examples" / "benchmark.py", *arguments, "--json", "result.json"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "result.json").read_text())


def pictures(root, *sizes):
    """The portrait once in each size."""
    root.mkdir(parents=True)
    for size in sizes:
        Image.open(PORTRAIT).resize((size, size)).save(root / f"{size}.jpg")
    return root


def test_stages_and_a_whole_run_are_in_the_table_and_in_the_json(tmp_path):
    root = pictures(tmp_path / "photos", 200, 300)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_nlink) for path in root.iterdir()}
    told, result = benchmark(
        tmp_path, root, "--images", "8", "--repeats", "1", "--runs", "overlay", "--workers", ""
    )
    assert {path: (path.stat().st_mtime_ns, path.stat().st_nlink) for path in root.iterdir()} == before
    assert result["machine"]["cores"] == os.cpu_count()
    rows = {(row["dataset"], row["what"]): row for row in result["rows"]}
    groups = ("photos", "photos to 256 px", "photos to 512 px")
    assert {dataset for dataset, _ in rows} == set(groups)
    for row in rows.values():
        assert any(
            line.startswith(f"{row['dataset']} ") and row["what"] in line for line in told.splitlines()
        )
    for dataset in groups:
        bare = rows[dataset, BARE]
        assert bare["x_bare"] == 1
        assert bare["images_per_cpu_s"] == pytest.approx(1000 / bare["cpu_ms"])
        for blend, left_out in (("overlay", "mask poisson"), ("poisson", "mask overlay")):
            whole = rows[dataset, f"stages, {blend}"]
            parts = [rows[dataset, stage] for stage in STAGES if stage != left_out]
            for figure in ("cpu_ms", "wall_ms", "x_bare", "x_plain"):
                assert whole[figure] == pytest.approx(sum(part[figure] for part in parts))
    run = rows["photos", "overlay"]
    assert [(each["what"], each["ratio"]) for each in result["ratios"]] == [
        (f"overlay: CPU beside {BARE}", run["x_bare"]),
        (f"overlay: CPU beside OpenCV decode + {BARE} + OpenCV encode", run["x_plain"]),
    ]
    # Few images are each there once, many of them four times.
    assert run["pictures"] == 8
    assert run["start_wall_s"] + 8 * run["wall_ms"] / 1000 == pytest.approx(run["whole_wall_s"])
    assert run["megabytes"] > 50 if sys.platform == "linux" else run["megabytes"] is None


def test_the_command_of_the_site_takes_several_datasets(tmp_path):
    (command,) = [line for line in TEXT.splitlines() if line.startswith("python examples/benchmark.py")]
    roots = [word for word in shlex.split(command)[2:] if word.startswith("data/")]
    for root in roots:
        pictures(tmp_path / root, 200)
    _, result = benchmark(
        tmp_path, *shlex.split(command)[2:], "--repeats", "1", "--runs", "", "--workers", ""
    )
    assert {row["dataset"] for row in result["rows"]} == {Path(root).name for root in roots}
