"""`maskgen split`: who would learn and who would be tested, and whether anything is on both sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import FILE, verbose_option
from maskgen.commands.shared.train_options import data_options, split_options, train_options


@click.command(name="split")
@data_options
@split_options
@click.option("--check", is_flag=True, help="Exit 1 if a person, source image or duplicate is in two splits.")
@click.option("--out", type=FILE, help="Write the split of every image to this CSV file.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@verbose_option
def command(
    data: tuple[Path, ...],
    folds: bool,
    check: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Show how data are divided, and find leaks.

    \b
    maskgen split --check
    maskgen split masked/adience --folds --check

    DATA and the other options are as for `maskgen train`, which runs the same check first.
    """  # noqa: D301
    from maskgen.train.data.examples import reasons, tally
    from maskgen.train.data.gather import gather
    from maskgen.train.data.leaks import refuse_leaks
    from maskgen.train.data.splits import assign_splits, by_fold
    from maskgen.train.run_folder import write_split

    options = train_options(data, {**given, "folds": folds})
    gathered = gather([Path(each) for each in options.data], options.wanted, progress=not quiet)
    if folds:
        examples, outside = by_fold(gathered.examples)
    else:
        examples, outside = assign_splits(gathered.examples, options.split)
    dropped = (*gathered.dropped, *outside)
    counts = tally(examples)
    if out is not None:
        write_split(out, examples)
    if as_json:
        click.echo(json.dumps({"counts": counts, "dropped": reasons(dropped)}, ensure_ascii=False))
    elif not quiet:
        for split, labels in counts.items():
            listed = ", ".join(f"{count:,} {label}" for label, count in list(labels.items())[:12])
            click.echo(f"{split}: {listed}", err=True)
        for reason, count in reasons(dropped).items():
            click.echo(f"takes no part, {reason}: {count:,}", err=True)
    if check:
        refuse_leaks(examples)
        if not quiet:
            click.echo("no person, source image or duplicate is in two splits", err=True)
