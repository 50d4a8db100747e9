"""`maskgen evaluate`: compare models on datasets, in one table."""

import json
from dataclasses import replace
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, FOLDER, links_option, option_table, verbose_option
from maskgen.commands.shared.train_options import which_options
from maskgen.errors import UsageError


def _name_data(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    """Read "lfw=masked/lfw" as ("lfw", Path("masked/lfw")); DATA alone is named after its folder."""
    splits = [value.partition("=") if "=" in value else ("", "", value) for value in values]
    named = [(name, ANY_PATH.convert(path, param, ctx)) for name, _, path in splits]
    return tuple((name or path.resolve().name, path) for name, path in named)


@click.command(name="evaluate")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=ANY_PATH)
@option_table(
    {
        "--on": "Dataset to evaluate on, with a name for the table. Can be repeated.",
        "--label": "Column with the true class.  [default: the column the model learnt]",
    },
    on={"metavar": "NAME=DATA", "callback": _name_data, "multiple": True, "required": True},
    label={"metavar": "COLUMN"},
)
@which_options("Compare both for the same sources.")
@option_table(
    {
        "--split": "Split to evaluate on, for datasets with splits. Without a test split, test means "
        "validation.",
        "--by": "Column to group results by. Can be repeated.  [default: known columns]",
        "--out": "Folder for tables, plots, predictions and a page.  [default: not written]",
        "--no-images": "Leave the images of the worst errors out of the page.",
        "--json as_json": "Print all figures as JSON on stdout instead of the table.",
        "-q --quiet": "Print no progress.",
    },
    split={"type": click.Choice(("test", "validation", "train", "all")), "default": "test"},
    by={"multiple": True, "metavar": "COLUMN"},
    out={"type": FOLDER},
)
@links_option
@verbose_option
def command(
    models: tuple[Path, ...],
    on: tuple[tuple[str, Path], ...],
    label: str | None,
    which: str,
    split: str,
    by: tuple[str, ...],
    out: Path | None,
    no_images: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare models on one or more datasets.

    \b
    maskgen evaluate runs/celeba-efficientnet_b0 --on lfw=masked/lfw --both --out tables
    maskgen evaluate runs/* export/model.onnx --on masked/lfw --on val=Validation --json

    MODEL is a run folder, a .keras file or an .onnx file. The table goes to stdout. Images that cannot be
    read, and images of people that the model learnt from, are left out and counted. OUT/evaluation.html is a
    page with all figures; it shows faces that were classified wrongly, unless --no-images is given.
    """  # noqa: D301
    from maskgen.results.output_files import check_apart
    from maskgen.train.data.examples import Wanted
    from maskgen.train.evaluate import check_columns, markdown, write_evaluation
    from maskgen.train.judge import judge
    from maskgen.train.judging.figures import figures
    from maskgen.train.model.classifier import model_names, open_classifier
    from maskgen.train.run_folder import RECORD

    if len({name for name, _ in on}) < len(on):
        raise UsageError("two datasets have the same name; name them with --on NAME=DATA")
    if out is not None:
        if (out / RECORD).is_file():
            raise UsageError(
                f"{out} holds a run of `maskgen train`, and its roc.png would be overwritten; "
                "give another --out"
            )
        for _, data in on:
            check_apart(data, out)
    names = model_names(models)
    check_columns(by, [data for _, data in on], which)
    pairs = zip(models, names, strict=True)
    classifiers = [replace(open_classifier(path), name=own_name) for path, own_name in pairs]
    wanted = Wanted(label, which)
    by_set = [judge(classifiers, name, data, wanted, split, progress=not quiet) for name, data in on]
    # All sets of the first model, then those of the second one.
    judgements = [judged for by_model in zip(*by_set, strict=True) for judged in by_model]
    results = [figures(judged, by) for judged in judgements]
    if out is not None:
        write_evaluation(out, results, judgements, not no_images)
    click.echo(json.dumps(results, ensure_ascii=False) if as_json else markdown(results), nl=as_json)
