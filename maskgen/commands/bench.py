"""`maskgen bench`: measure the size and latency of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, verbose_option

AT_LEAST_ONE = click.IntRange(min=1)


@click.command(name="bench")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=ANY_PATH)
@click.option(
    "--batch",
    type=AT_LEAST_ONE,
    multiple=True,
    help="Batch size. Can be repeated.  [default: 1, 8, 32]",
)
@click.option(
    "--repeats",
    type=AT_LEAST_ONE,
    default=30,
    show_default=True,
    help="Number of timed calls for each batch size.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON lines instead of text.")
@verbose_option
def command(models: tuple[Path, ...], batch: tuple[int, ...], repeats: int, as_json: bool) -> None:
    """Measure a model's size and speed.

    \b
    maskgen bench runs/celeba-efficientnet_b0 model.onnx

    Prints the number of parameters, the FLOPs for one image, the file size, and for each batch size the
    latency after a warm-up: minimum, median, 95th percentile and maximum.
    """  # noqa: D301
    from maskgen.train.model.bench import bench

    measurements = [bench(model, batch or (1, 8, 32), repeats) for model in models]
    for figures in measurements:
        click.echo(json.dumps(figures, ensure_ascii=False)) if as_json else _print_figures(figures)


def _print_figures(figures: dict[str, Any]) -> None:
    machine = figures["machine"]
    counts = "".join(
        f", {figures[name] / 1e6:,.1f} M {name}" for name in ("parameters", "flops") if figures[name]
    )
    click.echo(f"{figures['model']}: {figures['bytes'] / 1e6:.1f} MB, {figures['input']} pixels{counts}")
    for size, latency in figures["latency"].items():
        click.echo(
            f"  batch {size}: median {latency['median']:.1f} ms (min {latency['min']:.1f}, p95 "
            f"{latency['p95']:.1f}, max {latency['max']:.1f}), {latency['pictures_per_second']:.0f} images/s"
        )
    click.echo(f"  on {machine['processor']}, {machine['cores']} cores, load {machine['load']}")
