"""The files that rows of a manifest name."""

from __future__ import annotations

from pathlib import Path

from maskgen.plain_json import from_json
from maskgen.stores import open_lines


def named_files(rows: Path) -> set[str]:
    """The files that a part of the manifest names; a line that a kill cut short names none."""
    names: set[str] = set()
    try:
        with open_lines(rows) as lines:
            for line in lines:
                names.update(_named_in(line))
    except FileNotFoundError:
        return names
    return names


def _named_in(line: bytes) -> list[str]:
    try:
        row = from_json(line)
        named = [row["file_name"], row["unmasked_file"], *(face["alpha_file"] for face in row["faces"])]
    except (ValueError, LookupError, TypeError):
        return []
    return [name for name in named if name and isinstance(name, str)]
