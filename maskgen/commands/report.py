"""`maskgen report`: the dataset card and the contact sheet of a result, drawn again."""

from __future__ import annotations

from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, FOLDER


@click.command(name="report")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--root",
    type=ANY_PATH,
    help="Where the sources lie now.  [default: where the run read them]",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=24,
    show_default=True,
    help="How many images the contact sheet shows, evenly spread over the manifest.",
)
def command(folder: Path, root: Path | None, samples: int) -> None:
    """Redraw a result's dataset card and contact sheet.

    DIR is a folder that `maskgen synth` wrote; its README.md and preview.jpg are made from its manifest.
    """
    from maskgen.commands.shared.sources import find_sources
    from maskgen.results.card import write_report

    write_report(folder, find_sources(folder, root), samples)
    click.echo(f"wrote {folder / 'README.md'} and {folder / 'preview.jpg'}", err=True)
