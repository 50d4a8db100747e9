"""`maskgen train`: train a classifier on the output of `maskgen synth`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from maskgen.commands.shared.help_sections import SectionedCommand
from maskgen.commands.shared.parameters import FOLDER, config_option, quiet_option, verbose_option
from maskgen.commands.shared.train_options import data_options, split_options, train_options, training_options
from maskgen.errors import InterruptedRunError, UsageError

# What `--help` shows.
SECTIONS = {
    "Data": {
        "--label": "column to learn  [default: the manifest's label]",
        "--both": "learn from masked and unmasked images, the default for pairs; also --masked, --unmasked",
        "--crop": "full, face or upper-face  [default: full]",
        "--folds": "use each of the dataset's folds in turn as the test split",
    },
    "Model": {
        "--backbone": "efficientnet_b0 to b7, mobilenet_v3, ..., tiny-cnn  [default: efficientnet_b0]",
        "--size": "width and height of the input  [default: the backbone's own]",
        "--weights": "imagenet, none, or a run or file (.keras, .h5, .pth, ...)  [default: imagenet]",
    },
    "Training": {
        "--recipe": "fast, standard or long  [default: standard]",
        "--epochs": "of phase 1  [default: the recipe's]",
        "--fine-tune-epochs": "of phase 2  [default: the recipe's]",
        "--batch-size": "images in a batch  [default: 32]",
        "--seed": "of all random choices  [default: 0]",
    },
    "Run": {
        "--out": "run folder  [default: runs/DATA-BACKBONE]",
        "--resume": "resume an interrupted run",
        "--overwrite": "replace an earlier run",
        "--quiet": "print only errors",
    },
}


@click.command(name="train", cls=SectionedCommand, sections=SECTIONS)
@data_options
@split_options
@training_options
@click.option("--out", type=FOLDER, help="Run folder to write.  [default: runs/DATA-BACKBONE]")
@click.option("--preview", is_flag=True, help="Write preview.png, a grid of augmented images.")
@click.option(
    "--resume",
    type=FOLDER,
    metavar="RUN",
    help="Resume the interrupted run in this folder; --epochs N adds N epochs to it or to one that is done.",
)
@click.option("--overwrite", is_flag=True, help="Replace the run that --out holds.")
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON on stdout.")
@quiet_option
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
    maskgen train --resume runs/celeba-efficientnet_b1 --epochs 5

    DATA is an output folder of `maskgen synth`, or a plain tree such as Training/male/1.jpg; by default, the
    one dataset under masked/. Phase 1 trains the head on the frozen backbone, phase 2 also trains the
    backbone; with --weights none, all layers are trained from the start. The run folder holds
    models, curves, metrics, predictions and a model card.
    """  # noqa: D301
    from maskgen.files.redaction import public_command
    from maskgen.results.output_files import check_apart
    from maskgen.train.run_folder import RECORD
    from maskgen.train.session import extend_run, resume_run, train_run

    if resume is not None:
        if _refuse_other_options():
            extend_run(resume, given["epochs"])
        run, models = resume, resume_run(resume, progress=not quiet)
    else:
        options = train_options(data, {**given, "folds": folds})
        names = "+".join(Path(folder).resolve().name for folder in options.data)
        run = out or Path("runs") / f"{names}-{options.backbone}"
        for folder in options.data:
            check_apart(Path(folder), run)
        line = public_command(["maskgen", *sys.argv[1:]])
        models = train_run(run, options, folds, line, overwrite, preview, not quiet)
    try:
        for model, metrics in models:
            _print(model, metrics, as_json, quiet)
    except KeyboardInterrupt:
        if not (run / RECORD).is_file():
            raise
        raise InterruptedRunError(f"interrupted; resume with `maskgen train --resume {run}`") from None


def _refuse_other_options() -> bool:
    """Refuse most options beside --resume, whose run keeps its own; returns whether --epochs is given."""
    context = click.get_current_context()
    allowed = ("resume", "epochs", "follow_links", "as_json", "quiet", "verbose")
    given = [
        parameter
        for parameter in context.command.params
        if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    for parameter in given:
        if parameter.name not in allowed:
            flags = [each.opts[0] for each in context.command.params if each.name == parameter.name]
            refused = "/".join(flags) if isinstance(parameter, click.Option) else "DATA"
            raise UsageError(
                f"--resume keeps the options that the run started with: leave out {refused}, or start a new "
                "run from its model with --weights RUN"
            )
    return any(parameter.name == "epochs" for parameter in given)


def _print(run: Path, metrics: Mapping[str, Any], as_json: bool, quiet: bool) -> None:
    from maskgen.train.data.examples import listed

    if as_json:
        click.echo(json.dumps({**metrics, "run": str(run)}, ensure_ascii=False))
    if quiet:
        return
    for name, scores in metrics.items():
        if name in ("validation", "test"):
            low, high = scores["interval"]
            accuracy = f"{scores['accuracy']:.2%} ({low:.2%} to {high:.2%})"
            counts = f"{scores['n']:,} images, {scores['dropped']:,} left out"
            click.echo(f"{name}: accuracy {accuracy} on {counts}", err=True)
    if metrics["dropped"]:
        click.echo(f"left out: {listed(metrics['dropped'])} (listed in dropped.csv)", err=True)
    click.echo(f"the run is in {run}: best.keras, report.html, README.md, metrics.json", err=True)
