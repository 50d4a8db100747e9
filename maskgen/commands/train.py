"""`maskgen train`: a classifier from what `maskgen synth` wrote."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from maskgen.commands.shared.parameters import FOLDER, config_option, verbose_option
from maskgen.commands.shared.train_options import (
    augmentation_options,
    data_options,
    fit_options,
    model_options,
    split_options,
    train_options,
)
from maskgen.errors import InterruptedRunError, UsageError


@click.command(name="train")
@data_options
@split_options
@click.option("--drop-leaks", is_flag=True, help="Take what is also in the test out of the training.")
@model_options
@fit_options
@augmentation_options
@click.option("--out", type=FOLDER, help="The run folder.  [default: runs/DATA-BACKBONE]")
@click.option("--preview", is_flag=True, help="Write a grid of augmented images, preview.png.")
@click.option("--resume", type=FOLDER, metavar="RUN", help="Go on with a run that was interrupted.")
@click.option("--overwrite", is_flag=True, help="Start anew in a folder that holds a run.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@verbose_option
@config_option
def command(
    data: tuple[Path, ...],
    folds: bool,
    out: Path | None,
    preview: bool,
    resume: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Train a classifier on masked faces.

    \b
    maskgen train
    maskgen train masked/celeba --backbone efficientnet_b1 --head large --both
    maskgen train masked/fairface --label race --weights none --epochs 40
    maskgen train --resume runs/celeba-efficientnet_b1

    DATA is a folder that `maskgen synth` wrote, or a plain tree such as Training/male/1.jpg; without it, the
    one dataset under masked/. First the head learns on the frozen backbone, then the backbone's later
    blocks too; with --weights none everything learns from the start. The run folder gets models, curves,
    figures, predictions and a model card.
    """  # noqa: D301
    from maskgen.results.output_files import check_apart
    from maskgen.train import folds as of_folds
    from maskgen.train import session

    if resume is not None:
        _refuse_others()
        with _told_how_to_go_on(resume):
            if of_folds.folds_of_run(resume):
                for name, metrics in of_folds.resume_folds(resume, progress=not quiet):
                    _print(resume / name, metrics, as_json, quiet)
            else:
                _print(resume, session.resume(resume, progress=not quiet), as_json, quiet)
        return
    wanted = train_options(data, {**given, "folds": folds})
    names = "+".join(Path(folder).resolve().name for folder in wanted.data)
    run = out or Path("runs") / f"{names}-{wanted.backbone}"
    for folder in wanted.data:
        check_apart(Path(folder), run)
    typed: dict[str, Any] = {"command": _typed(), "overwrite": overwrite, "preview": preview}
    typed["progress"] = not quiet
    with _told_how_to_go_on(run):
        if not folds:
            _print(run, session.train(run, wanted, **typed), as_json, quiet)
            return
        for name, metrics in of_folds.train_folds(run, wanted, **typed):
            _print(run / name, metrics, as_json, quiet)


def _refuse_others() -> None:
    """A run goes on with the options that it began with, and would not take others."""
    context = click.get_current_context()
    free = ("resume", "follow_links", "as_json", "quiet", "verbose")
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in free and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            same = [each.opts[0] for each in context.command.params if each.name == name]
            told = "/".join(same) if isinstance(parameter, click.Option) else "DATA"
            raise UsageError(
                f"--resume goes on with the options that the run began with: leave out {told}, or train "
                "further from its model by --weights RUN"
            )


@contextmanager
def _told_how_to_go_on(run: Path) -> Iterator[None]:
    from maskgen.train.run_folder import RECORD

    try:
        yield
    except KeyboardInterrupt:
        if not (run / RECORD).is_file():
            raise
        raise InterruptedRunError(f"interrupted; `maskgen train --resume {run}` goes on") from None


def _typed() -> str:
    """The command as it can be typed again, but for absolute paths."""
    from maskgen.files.redaction import public_command

    return public_command(["maskgen", *sys.argv[1:]])


def _print(run: Path, metrics: Mapping[str, Any], as_json: bool, quiet: bool) -> None:
    if as_json:
        click.echo(json.dumps({**metrics, "run": str(run)}, ensure_ascii=False))
    if quiet:
        return
    for name in ("validation", "test"):
        if name in metrics and metrics[name]["n"]:
            own = metrics[name]
            low, high = own["interval"]
            click.echo(
                f"{name}: accuracy {own['accuracy']:.2%} ({low:.2%} to {high:.2%}) of {own['n']:,}, "
                f"{own['dropped']:,} not judged",
                err=True,
            )
    if metrics["dropped"]:
        listed = ", ".join(f"{count:,} {reason}" for reason, count in metrics["dropped"].items())
        click.echo(f"took no part: {listed} (dropped.csv names them)", err=True)
    click.echo(f"the run is in {run}: best.keras, README.md, curves.png, metrics.json", err=True)
