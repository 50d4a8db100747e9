"""`maskgen table`: the manifest for pandas, databases and spreadsheets."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_FILE, FOLDER, verbose_option

_FORMATS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


@click.command(name="table")
@click.argument("out", metavar="OUT", type=FOLDER)
@click.argument("target", metavar="[FILE]", type=ANY_FILE, default="-")
@click.option(
    "--format",
    "form",
    type=click.Choice(("csv", "parquet")),
    help="What FILE is to hold.  [default: as its name says; csv on stdout]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@verbose_option
def command(out: Path, target: Path, form: str | None, quiet: bool) -> None:
    """Write a result's manifest as a CSV or Parquet table.

    The table has a line for each masked face, and one for each input in which none was masked: there the
    column "face" is empty. FILE may be - for stdout. Parquet needs pyarrow: pip install 'maskgen[parquet]'.

    \b
    maskgen table masked/celeba celeba.parquet
    maskgen table masked/celeba | head
    """  # noqa: D301
    from maskgen.files.atomic import open_atomic
    from maskgen.results.export.table import write_csv, write_parquet

    to_stdout = str(target) == "-"
    chosen = form or ("csv" if to_stdout else _FORMATS.get(target.suffix.lower()))
    if chosen is None:
        raise click.UsageError(f"{target}: say with --format whether it is to hold csv or parquet")
    write = write_csv if chosen == "csv" else write_parquet
    if to_stdout:
        write(out / "manifest.jsonl", sys.stdout.buffer)
        return
    with open_atomic(target) as file:
        count = write(out / "manifest.jsonl", file)
    if not quiet:
        click.echo(f"wrote {target}: {count:,} lines", err=True)
