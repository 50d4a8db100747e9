"""`maskgen report`: regenerate the dataset card and contact sheet of a result."""

from __future__ import annotations

from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, FOLDER


@click.command(name="report")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--root",
    type=ANY_PATH,
    help="Where the sources are now.  [default: where the run read them]",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=24,
    show_default=True,
    help="Number of images on the contact sheet, evenly spaced over the manifest.",
)
def command(folder: Path, root: Path | None, samples: int) -> None:
    """Regenerate a result's dataset card and contact sheet.

    DIR is an output folder of `maskgen synth`. Its README.md and preview.jpg are made from its manifest.
    """
    from maskgen.commands.shared.sources import find_sources
    from maskgen.results.card import write_report

    write_report(folder, find_sources(folder, root), samples)
    click.echo(f"wrote {folder / 'README.md'} and {folder / 'preview.jpg'}", err=True)
