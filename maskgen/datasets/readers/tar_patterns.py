"""Find tars by a root: a tar, a folder of tars, or a pattern such as ``shards/*.tar``.

Patterns have the syntax of a shell and of the webdataset library: ``*``, ``?``, ``[...]``, ``**`` for any
folders, ``{a,b}`` and ``{000000..000012}``.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path

from maskgen.errors import MissingDataError, UsageError
from maskgen.files.image_files import images
from maskgen.files.remote import is_remote

MOST_EXPANDED = 1_000_000

_COMPRESSED = re.compile(r"\.(?:tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst|lz4|Z))$", re.IGNORECASE)
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def find_tars(root: Path) -> list[Path]:
    """The tars of a root without duplicates, in the byte order of their paths; folders are searched.

    Raises:
        MissingDataError: A tar that the root names does not exist.
        UsageError: A tar is compressed, or the root names too many.
        AnnotationError: A tar is a link out of the root.
    """
    return sorted({path for pattern in _expand_braces(root) for path in _matching(pattern)}, key=os.fsencode)


def holds_tars(root: Path) -> bool:
    """Whether a root names a tar; the search stops at the first."""
    try:
        return any(True for pattern in _expand_braces(root) for _ in _matching(pattern))
    except MissingDataError:
        return False


def _expand_braces(root: Path) -> Iterator[str]:
    """Expand the braces of a pattern; the name of an existing file is not expanded."""
    if is_remote(root):
        raise UsageError(f"tars are read from folders, not from a URL: {root}; mount or copy them first")
    text = str(root)
    # `Path.exists` raises for a long list in braces, which is too long for a file name.
    if os.path.exists(text):  # noqa: PTH110
        yield glob.escape(text)
        return
    count = 0
    waiting = [text]
    while waiting:
        text = waiting.pop()
        braces = next((match for match in _BRACES.finditer(text) if _choices(match[1])), None)
        if braces is None:
            count += 1
            if count > MOST_EXPANDED:
                raise UsageError(f"{root} stands for more than {MOST_EXPANDED:,} names")
            yield text
            continue
        choices = _choices(braces[1])
        if len(choices) > MOST_EXPANDED:
            raise UsageError(f"{root} stands for more than {MOST_EXPANDED:,} names")
        for index in range(len(choices) - 1, -1, -1):
            waiting.append(text[: braces.start()] + _choice(braces[1], choices[index]) + text[braces.end() :])


def _choices(text: str) -> range | list[str]:
    """The choices in braces: a range of numbers, or texts; empty if the text is neither."""
    if numbers := _RANGE.fullmatch(text):
        first, last = int(numbers[1]), int(numbers[2])
        return range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return text.split(",") if "," in text else []


def _choice(text: str, choice: int | str) -> str:
    """A choice as text; numbers are as wide as the first number of their range."""
    return choice if isinstance(choice, str) else f"{choice:0{text.index('.')}}"


def _matching(pattern: str) -> Iterator[Path]:
    """The tars of a pattern without braces."""
    if not glob.has_magic(pattern) and not Path(pattern).exists():
        raise MissingDataError(f"{pattern} is not there")
    # `Path.glob` does not accept absolute patterns.
    for name in glob.iglob(pattern, recursive=True) if glob.has_magic(pattern) else [pattern]:  # noqa: PTH207
        path = Path(name)
        if path.is_dir():
            # Compressed tars are an error: skipping them silently would lose their images.
            below = images(path, lambda name: name.lower().endswith(".tar") or bool(_COMPRESSED.search(name)))
            yield from (tar for relative in below if _is_tar(tar := path / relative))
        # A file that is named explicitly is read, whatever its suffix.
        elif _is_tar(path) or pattern in (name, glob.escape(name)):
            yield path


def _is_tar(path: Path) -> bool:
    if _COMPRESSED.search(path.name):
        raise UsageError(
            f"{path} is compressed, and images are read by their place in a tar; uncompress it first, for "
            "example with `gunzip`"
        )
    return path.suffix.lower() == ".tar"
