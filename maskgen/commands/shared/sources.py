"""Where the sources of a result lie, for the commands that draw its contact sheet."""

from __future__ import annotations

from pathlib import Path

import click


def find_sources(out: Path, root: Path | None = None) -> Path | None:
    """Find the images that a result was made from.

    Args:
        out: The result.
        root: Where they are said to be; otherwise where the run read them, or where `maskgen synth` looks.

    Returns:
        Their folder; None, with a line on stderr, when they are in none of these.

    Raises:
        MissingDataError: There is no result, or nothing at ``root``.
    """
    from maskgen.datasets import find_root, get_dataset
    from maskgen.errors import MissingDataError
    from maskgen.results.run_record import read_record
    from maskgen.run.job import root_of

    name = (read_record(out).get("options") or {}).get("dataset", "")
    # Where a root may be a pattern, there is no file of its name.
    if root is not None and not get_dataset(name).files and not root.exists():
        raise MissingDataError(f"{root} is not there")
    for place in [root] if root else [*filter(None, [root_of(out)]), None]:
        if name == "table" and place and place.is_dir():  # its images may lie apart from it
            return place
        try:
            return find_root(get_dataset(name), place)
        except MissingDataError:
            continue
    click.echo(f"maskgen: the sources of {name} are not found; preview.jpg goes without them", err=True)
    return None
