"""`maskgen bench`: measure the size and latency of models."""

import json
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, verbose_option


@click.command(name="bench")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=ANY_PATH)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    multiple=True,
    help="Batch size. Can be repeated.  [default: 1, 8, 32]",
)
@click.option(
    "--repeats", type=click.IntRange(min=1), default=30, help="Number of timed calls for each batch size."
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON lines instead of text.")
@verbose_option
def command(models: tuple[Path, ...], batch: tuple[int, ...], repeats: int, as_json: bool) -> None:
    """Measure a model's size and speed.

    \b
    maskgen bench runs/celeba-efficientnet_b0 model.onnx model_int8.tflite

    MODEL is a run folder, or a .keras, .onnx or .tflite file; each is run by its own runtime.
    Prints the number of parameters, the FLOPs for one image, the file size, and for each batch size the
    latency after a warm-up: minimum, median, 95th percentile and maximum.
    """  # noqa: D301
    from maskgen.train.model.bench import bench

    for each in [bench(model, batch or (1, 8, 32), repeats) for model in models]:
        if as_json:
            click.echo(json.dumps(each, ensure_ascii=False))
            continue
        counts = [f", {each[name] / 1e6:,.1f} M {name}" for name in ("parameters", "flops") if each[name]]
        size = f"{each['bytes'] / 1e6:.1f} MB, {each['input']} pixels"
        click.echo(f"{each['model']}: {size}{''.join(counts)}")
        for number, latency in each["latency"].items():
            spread = "min {min:.1f}, p95 {p95:.1f}, max {max:.1f}".format(**latency)
            speed = f"{latency['pictures_per_second']:.0f} images/s"
            click.echo(f"  batch {number}: median {latency['median']:.1f} ms ({spread}), {speed}")
        click.echo("  on {processor}, {cores} cores, load {load}".format(**each["machine"]))
