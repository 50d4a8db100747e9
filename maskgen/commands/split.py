"""`maskgen split`: show the split that `maskgen train` would use, and check it for leaks."""

import json
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import FILE, counts_option, message_options
from maskgen.commands.shared.train_options import data_options, split_options, train_options


@click.command(name="split")
@data_options
@split_options
@click.option(
    "--check", is_flag=True, help="Exit with code 1 if a person, source image or duplicate is in two splits."
)
@click.option("--out", type=FILE, help="CSV file to write, with the split of every image.")
@counts_option
@message_options
def command(
    data: tuple[Path, ...], check: bool, out: Path | None, as_json: bool, quiet: bool, **given: Any
) -> None:
    """Show how data are split, and find leaks.

    \b
    maskgen split --check
    maskgen split masked/adience --folds --check

    DATA and the other options are those of `maskgen train`, which starts with the same check.
    """  # noqa: D301
    from maskgen.train.data.examples import reasons, tally
    from maskgen.train.data.gather import gather
    from maskgen.train.data.leaks import refuse_leaks
    from maskgen.train.data.splits import assign_splits, by_fold
    from maskgen.train.run_folder import write_split

    options = train_options(data, given)
    gathered = gather([Path(each) for each in options.data], options.wanted, progress=not quiet)
    examples, outside = (
        by_fold(gathered.examples) if given["folds"] else assign_splits(gathered.examples, options.split)
    )
    dropped, counts = reasons((*gathered.dropped, *outside)), tally(examples)
    if out is not None:
        write_split(out, examples)
    if as_json:
        click.echo(json.dumps({"counts": counts, "dropped": dropped}, ensure_ascii=False))
    elif not quiet:
        for split, labels in counts.items():
            listed = ", ".join(f"{count:,} {label}" for label, count in list(labels.items())[:12])
            click.echo(f"{split}: {listed}", err=True)
        for reason, count in dropped.items():
            click.echo(f"left out, {reason}: {count:,}", err=True)
    if check:
        refuse_leaks(examples)
        if not quiet:
            click.echo("no person, source image or duplicate is in two splits", err=True)
