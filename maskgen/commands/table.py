"""`maskgen table`: export the manifest for pandas, databases and spreadsheets."""

import sys
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_FILE, FOLDER, message_options

_FORMATS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


@click.command(name="table")
@click.argument("out", metavar="OUT", type=FOLDER)
@click.argument("target", metavar="[FILE]", type=ANY_FILE, default="-")
@click.option(
    "--format",
    "form",
    type=click.Choice(("csv", "parquet")),
    help="Format of FILE.  [default: by the suffix of FILE; csv on stdout]",
)
@message_options
def command(out: Path, target: Path, form: str | None, quiet: bool) -> None:
    """Export a result's manifest as a CSV or Parquet table.

    The table has one row for each masked face, and one with an empty column "face" for each input without a
    masked face. FILE can be - for stdout. Parquet needs pyarrow: pip install 'maskgen[parquet]'.

    \b
    maskgen table masked/celeba celeba.parquet
    maskgen table masked/celeba | head
    """  # noqa: D301
    from maskgen.files.atomic import open_atomic
    from maskgen.results.export.table import write_csv, write_parquet

    to_stdout = str(target) == "-"
    form = form or ("csv" if to_stdout else _FORMATS.get(target.suffix.lower()))
    if form is None:
        raise click.UsageError(f"{target}: the suffix names no format; give --format csv or --format parquet")
    write = write_csv if form == "csv" else write_parquet
    if to_stdout:
        write(out / "manifest.jsonl", sys.stdout.buffer)
        return
    with open_atomic(target) as file:
        count = write(out / "manifest.jsonl", file)
    if not quiet:
        click.echo(f"wrote {target}: {count:,} rows", err=True)
