"""`maskgen report`: regenerate the dataset card and contact sheet of a result."""

from contextlib import suppress
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, FOLDER


@click.command(name="report")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--root", type=ANY_PATH, help="Where the sources are now.  [default: where the run read them]")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=24,
    help="Number of images on the contact sheet, evenly spaced over the manifest.",
)
def command(folder: Path, root: Path | None, samples: int) -> None:
    """Regenerate a result's dataset card and contact sheet.

    DIR is an output folder of `maskgen synth`. Its README.md and preview.jpg are made from its manifest.
    """
    from maskgen.results.card import write_report

    write_report(folder, _find_sources(folder, root), samples)
    click.echo(f"wrote {folder / 'README.md'} and {folder / 'preview.jpg'}", err=True)


def _find_sources(out: Path, root: Path | None) -> Path | None:
    """The folder of a result's sources; None, with a message on stderr, if they are not found.

    Without ``root``, it is where the run read them, or else where `maskgen synth` looks.
    """
    from maskgen.datasets import find_root, get_dataset
    from maskgen.errors import MissingDataError
    from maskgen.results.run_record import read_record
    from maskgen.run.job import root_of

    name = (read_record(out).get("options") or {}).get("dataset", "")
    # The root of some datasets can be a pattern, which names no file.
    if root is not None and not get_dataset(name).files and not root.exists():
        raise MissingDataError(f"{root} is not there")
    for place in [root] if root else [*filter(None, [root_of(out)]), None]:
        if name == "table" and place and place.is_dir():  # its images can be in another folder
            return place
        with suppress(MissingDataError):
            return find_root(get_dataset(name), place)
    click.echo(f"maskgen: the sources of {name} are not found; preview.jpg is made without them", err=True)
    return None
