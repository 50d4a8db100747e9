"""`maskgen bench`: what a model costs."""

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
    help="Images in a call; may be repeated.  [default: 1, 8, 32]",
)
@click.option("--repeats", type=AT_LEAST_ONE, default=30, show_default=True, help="Calls for each.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON lines, not the table.")
@verbose_option
def command(models: tuple[Path, ...], batch: tuple[int, ...], repeats: int, as_json: bool) -> None:
    """Measure a model's size and speed.

    \b
    maskgen bench runs/celeba-efficientnet_b0 model.onnx

    Parameters, FLOPs for one image, the size of the file, and the latency after a warm-up: smallest,
    median, 95th percentile and largest, for several batch sizes.
    """  # noqa: D301
    from maskgen.train.model.bench import bench

    found = [bench(model, batch or (1, 8, 32), repeats) for model in models]
    for each in found:
        click.echo(json.dumps(each, ensure_ascii=False)) if as_json else _print(each)


def _print(found: dict[str, Any]) -> None:
    machine = found["machine"]
    counts = "".join(
        f", {found[name] / 1e6:,.1f} M {name}" for name in ("parameters", "flops") if found[name]
    )
    click.echo(f"{found['model']}: {found['bytes'] / 1e6:.1f} MB, {found['input']} pixels{counts}")
    for size, own in found["latency"].items():
        click.echo(
            f"  batch {size}: median {own['median']:.1f} ms (min {own['min']:.1f}, p95 {own['p95']:.1f}, max "
            f"{own['max']:.1f}), {own['pictures_per_second']:.0f} images/s"
        )
    click.echo(f"  on {machine['processor']}, {machine['cores']} cores, load {machine['load']}")
