"""Find tars by a root: a tar, a folder of tars, or a pattern such as ``shards/*.tar``.

Patterns have the syntax of a shell and of the webdataset library: ``*``, ``?``, ``[...]``, ``**`` for any
folders, ``{a,b}`` and ``{000000..000012}``.
"""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from maskgen.errors import MissingDataError, UsageError
from maskgen.files.image_files import images
from maskgen.files.remote import is_remote

MOST_EXPANDED = 1_000_000

_COMPRESSED = re.compile(r"\.(?:tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst|lz4|Z))$", re.IGNORECASE)
# Braces around texts, or around a range of numbers, without braces inside.
_BRACES = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{},]*(?:,[^{},]*)+))\}")


def find_tars(root: Path) -> list[Path]:
    """The tars of a root without duplicates, in the byte order of their paths; folders are searched.

    Raises:
        MissingDataError: A tar that the root names does not exist.
        UsageError: A tar is compressed, or the root names too many.
    """
    return sorted(set(_matching(root)), key=os.fsencode)


def holds_tars(root: Path) -> bool:
    """Whether a root names a tar; the search stops at the first."""
    try:
        return next(_matching(root), None) is not None
    except MissingDataError:
        return False


def _matching(root: Path) -> Iterator[Path]:
    """The tars of a root, in any order; the name of an existing file is not expanded."""
    if is_remote(root):
        raise UsageError(f"tars are read from folders, not from a URL: {root}; mount or copy them first")
    # `Path.exists` raises for a long list in braces, which is too long for a file name.
    is_file = os.path.exists(root)  # noqa: PTH110
    names = iter([glob.escape(str(root))]) if is_file else _expand_braces(str(root))
    patterns = list(islice(names, MOST_EXPANDED + 1))
    if len(patterns) > MOST_EXPANDED:
        raise UsageError(f"{root} stands for more than {MOST_EXPANDED:,} names")
    for pattern in patterns:
        if not (is_pattern := glob.has_magic(pattern)) and not Path(pattern).exists():
            raise MissingDataError(f"{pattern} is not there")
        # `Path.glob` does not accept absolute patterns.
        for name in glob.iglob(pattern, recursive=True) if is_pattern else [pattern]:  # noqa: PTH207
            if (path := Path(name)).is_dir():
                yield from filter(_is_tar, (path / relative for relative in images(path, _is_tar_name)))
            # A file that is named explicitly is read, whatever its suffix.
            elif _is_tar(path) or pattern in (name, glob.escape(name)):
                yield path


def _expand_braces(text: str) -> Iterator[str]:
    if (braces := _BRACES.search(text)) is None:
        yield text
        return
    first, last, texts = braces.groups()
    choices: Iterable[str] = texts.split(",") if texts is not None else ()
    if texts is None:
        numbers = range(int(first), int(last) + 1) or range(int(first), int(last) - 1, -1)
        choices = (f"{number:0{len(first)}}" for number in numbers)
    for choice in choices:
        yield from _expand_braces(text[: braces.start()] + choice + text[braces.end() :])


def _is_tar_name(name: str) -> bool:
    # Compressed tars are an error: skipping them silently would lose their images.
    return name.lower().endswith(".tar") or bool(_COMPRESSED.search(name))


def _is_tar(path: Path) -> bool:
    if _COMPRESSED.search(path.name):
        reason = "images are read by their place in a tar; uncompress it first, for example with `gunzip`"
        raise UsageError(f"{path} is compressed, and {reason}")
    return path.suffix.lower() == ".tar"
