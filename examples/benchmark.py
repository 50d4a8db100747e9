"""What masking costs, by stage, dataset and image size, beside bare calls of the landmark models.

    python examples/benchmark.py DATASET_ROOT... [--images 600] [--rounds 1] [--workers 1,2] [--json FILE]

Everything is measured in one run over the same images, with bare calls before and after each whole run,
so that whatever else the machine does slows all alike. CPU is user and system time of all threads and
processes.

* Stages: each image is gone through ``--repeats`` times, stage after stage; the least of its repeats
  counts, the bare calls' likewise. The bare call is ``FaceMesh.process`` where mediapipe 0.10.21 or older is
  installed, and everywhere else the two models that it runs, without what it does around them.
* Whole runs: ``maskgen`` as its user runs it, over few images and over many; the difference, divided by
  the images that are more, is the cost of one, without start-up. It is set beside the mean of the bare
  calls before and after it. Of several rounds the median is shown.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
from measuring import BARE, DECODE, ENCODE, NOTHING, Cost, InOneProcess, lay_out, mean, run_maskgen

import maskgen

LANDMARKS = ("--landmarks", "{landmarks}")
# Row of the table -> arguments of `maskgen synth`.
RUNS: dict[str, tuple[str, ...]] = {
    "overlay": ("--blend", "overlay"),
    "poisson": ("--blend", "poisson"),
    "overlay --landmarks": ("--blend", "overlay", *LANDMARKS),
    "poisson --landmarks": ("--blend", "poisson", *LANDMARKS),
    "overlay --variants 4": ("--blend", "overlay", "--variants", "4"),
}
# With shards of 64, a few hundred images would leave one of two workers idle at the end.
IN_SMALL_SHARDS = ("--blend", "overlay", "--shard-size", "16")
SIZES = (256, 512, 1024)  # upper bounds of an image's longer side
COLUMNS = ("dataset", "what", "CPU ms", "wall ms", "per CPU s", "per wall s", "x bare", "x plain", "MB")
NOTES = f"""\
For one image. x bare: CPU beside {BARE}; x plain: beside {DECODE} + {BARE} + {ENCODE}.
Stages: the least of the repeats for each image, averaged. The rows below them are whole runs of maskgen,
without start-up; MB is the most that one process held, on Linux; -j is measured in shards of 16 images."""


def row(dataset: str, what: str, cost: Cost, bare: Cost, plain: Cost, **more: Any) -> dict[str, Any]:
    """One line of the result."""
    return {
        "dataset": dataset,
        "what": what,
        "cpu_ms": cost.cpu,
        "wall_ms": cost.wall,
        "images_per_cpu_s": 1e3 / cost.cpu if cost.cpu > 0 else None,
        "images_per_wall_s": 1e3 / cost.wall if cost.wall > 0 else None,
        "x_bare": cost.cpu / bare.cpu,
        "x_plain": cost.cpu / plain.cpu,
        **more,
    }


def stage_rows(
    dataset: str, process: InOneProcess, pictures: Sequence[Path], repeats: int
) -> list[dict[str, Any]]:
    """Each stage over all images, and over those of each size where there are several."""
    measured = [process.stages(path, repeats) for path in pictures]
    groups: dict[str, list[dict[str, Cost]]] = {"": [costs for costs, _ in measured]}
    for low, high in itertools.pairwise((0, *SIZES, 1 << 31)):
        inside = [costs for costs, side in measured if low < side <= high]
        if inside and len(inside) < len(measured):
            groups[f" to {high} px" if high in SIZES else f" over {low} px"] = inside
    rows = []
    for size, costs in groups.items():
        means = {name: mean([cost[name] for cost in costs]) for name in costs[0]}
        for blend in ("overlay", "poisson"):
            parts = ("decode", "find", f"mask {blend}", "encode")
            means[f"stages, {blend}"] = sum((means[part] for part in parts), NOTHING)
        plain = means[BARE] + means[DECODE] + means[ENCODE]
        rows += [
            row(dataset + size, what, cost, means[BARE], plain, pictures=len(costs))
            for what, cost in means.items()
        ]
    return rows


def whole_rows(
    dataset: str,
    process: InOneProcess,
    pictures: Sequence[Path],
    counts: dict[str, int],
    folder: Path,
    runs: Sequence[str],
    workers: Sequence[int],
    rounds: int,
) -> list[dict[str, Any]]:
    """Whole runs as their user makes them."""
    commands = {name: ("synth", "-j", "1", *RUNS[name]) for name in runs}
    commands |= {f"overlay -j {count}": ("synth", "-j", str(count), *IN_SMALL_SHARDS) for count in workers}
    if any("{landmarks}" in command for command in commands.values()):
        commands = {"landmarks": ("landmarks",), **commands}
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(rounds):
        before = process.pass_over(pictures)
        for name, command in commands.items():
            ran = {}
            for part in ("few", "many"):
                found, out = folder / f"{part}.landmarks", folder / "out"
                given = [str(found) if word == "{landmarks}" else word for word in command]
                place = found if name == "landmarks" else out
                fixed = ["--dataset", "folder", "--root", str(folder / part), "--out", str(place)]
                ran[part] = run_maskgen([*given, *fixed, "--quiet"], folder)
                shutil.rmtree(out, ignore_errors=True)
            after = process.pass_over(pictures)
            beside = {key: mean([before[key], after[key]]) for key in after}
            before = after
            few, many = ran["few"], ran["many"]
            difference = Cost(1e3 * (many.cpu - few.cpu), 1e3 * (many.wall - few.wall))
            each = difference.over(counts["many"] - counts["few"])
            plain = beside[BARE] + beside[DECODE] + beside[ENCODE]
            start = {
                "start_cpu_s": many.cpu - each.cpu * counts["many"] / 1e3,
                "start_wall_s": many.wall - each.wall * counts["many"] / 1e3,
            }
            whole = {"whole_wall_s": many.wall, "megabytes": many.megabytes, "bare_cpu_ms": beside[BARE].cpu}
            measured[name].append(row(dataset, name, each, beside[BARE], plain, **start, **whole))
    return [middle(rows, pictures=counts["many"]) for rows in measured.values()]


def middle(rows: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The median of each figure over the rounds; all rounds' ratios to the bare call are kept."""
    figures: dict[str, Any] = dict(rows[0])
    for name in figures:
        # A difference that noise made negative has no rate.
        values = [each[name] for each in rows if isinstance(each[name], float)]
        if values:
            figures[name] = statistics.median(values)
    return {**figures, "x_bare_of_rounds": [each["x_bare"] for each in rows], **more}


def ratios(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the figures of whole runs are judged by: each beside the bare call, or beside another run."""
    runs = {(row["dataset"], row["what"]): row for row in rows if "whole_wall_s" in row}
    found = []
    for (dataset, what), run in runs.items():
        plain, one = runs.get((dataset, "overlay")), runs.get((dataset, "overlay -j 1"))
        if what in RUNS:
            found.append((dataset, f"{what}: CPU beside {BARE}", run["x_bare"]))
        if what == "overlay":
            found.append((dataset, f"{what}: CPU beside {DECODE} + {BARE} + {ENCODE}", run["x_plain"]))
        if what == "overlay --variants 4" and plain:
            found.append((dataset, f"{what}: CPU beside one variant", run["cpu_ms"] / plain["cpu_ms"]))
        if what.startswith("overlay -j ") and one and run is not one:
            found.append((dataset, f"{what}: images a second beside -j 1", one["wall_ms"] / run["wall_ms"]))
    return [{"dataset": dataset, "what": what, "ratio": ratio} for dataset, what, ratio in found]


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = {}
    for package in ("ai-edge-litert", "mediapipe", "opencv-python", "numpy", "pillow"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "n/a"
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "maskgen": maskgen.__version__,
        **versions,
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as text in columns."""
    shown = ("cpu_ms", "wall_ms", "images_per_cpu_s", "images_per_wall_s", "x_bare", "x_plain", "megabytes")
    digits = (2, 2, 1, 1, 2, 2, 0)
    lines = [COLUMNS]
    for each in rows:
        values = [(each.get(name), digit) for name, digit in zip(shown, digits, strict=True)]
        figures = ["" if value is None else f"{value:.{digit}f}" for value, digit in values]
        lines.append((each["dataset"], each["what"], *figures))
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


@click.command()
@click.argument(
    "roots", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--images", default=600, show_default=True, help="Images of a whole run, by repeating them.")
@click.option("--repeats", default=3, show_default=True, help="Of each stage for each image.")
@click.option("--rounds", default=1, show_default=True, help="Of all whole runs.")
@click.option("--workers", default="1,2", show_default=True, help="Numbers of processes, with commas.")
@click.option("--runs", default=",".join(RUNS), show_default=True, help="Which whole runs, with commas.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it all here.")
def main(
    roots: tuple[Path, ...],
    images: int,
    repeats: int,
    rounds: int,
    workers: str,
    runs: str,
    file: Path | None,
) -> None:
    """Measure over the images below each ROOT, which is only read."""
    chosen, counts = [name for name in runs.split(",") if name], [int(n) for n in workers.split(",") if n]
    if unknown := set(chosen) - set(RUNS):
        raise click.UsageError(f"no such run: {', '.join(sorted(unknown))}; there are {', '.join(RUNS)}")
    facts, process = machine(), InOneProcess()
    rows: list[dict[str, Any]] = []
    for root in roots:
        with tempfile.TemporaryDirectory() as scratch:
            folder, dataset = Path(scratch), root.resolve().name
            once, numbers = lay_out(root, images, folder)
            click.echo(f"{dataset}: {len(once)} images, {numbers['many']} in a whole run", err=True)
            rows += stage_rows(dataset, process, once, repeats)
            rows += whole_rows(dataset, process, once, numbers, folder, chosen, counts, rounds)
    facts["load_after"] = [round(load, 2) for load in os.getloadavg()]
    judged = ratios(rows)
    click.echo(f"{json.dumps(facts)}\n{table(rows)}\n{NOTES}")
    for each in judged:
        click.echo(f"{each['ratio']:5.2f}  {each['dataset']}, {each['what']}")
    if file is not None:
        result = {"machine": facts, "rows": rows, "ratios": judged}
        file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
