"""Find the source images of a result, for its contact sheet."""

from __future__ import annotations

from pathlib import Path

import click


def find_sources(out: Path, root: Path | None = None) -> Path | None:
    """Find the images that a result was made from.

    Args:
        out: The result.
        root: Where to look; None looks where the run read them, then where `maskgen synth` looks.

    Returns:
        Their folder; None, with a message on stderr, if they are not found.

    Raises:
        MissingDataError: ``out`` holds no result, or ``root`` does not exist.
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
        try:
            return find_root(get_dataset(name), place)
        except MissingDataError:
            continue
    click.echo(f"maskgen: the sources of {name} are not found; preview.jpg is made without them", err=True)
    return None
