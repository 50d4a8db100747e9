"""Finds the tars that a root names: a tar, a folder of them, or a pattern such as ``shards/*.tar``.

Patterns are those of a shell and of the webdataset library: ``*``, ``?``, ``[...]``, ``**`` for any folders,
``{a,b}`` and ``{000000..000012}``.
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
    """The tars that a root names, each once and in the byte order of their paths; folders are looked through.

    Raises:
        MissingDataError: A tar that the root names is not there.
        UsageError: It names a compressed one, or too many.
        AnnotationError: A tar below it is a link out of it.
    """
    found = {path: None for pattern in _expanded(root) for path in _matching(pattern)}
    return sorted(found, key=os.fsencode)


def holds_tars(root: Path) -> bool:
    """Whether a root names a tar; looks no further than the first."""
    try:
        return any(True for pattern in _expanded(root) for _ in _matching(pattern))
    except MissingDataError:
        return False


def _expanded(root: Path) -> Iterator[str]:
    """The patterns without braces that a pattern with braces stands for; a name that is there is itself."""
    if is_remote(root):
        raise UsageError(f"tars are read from folders, not from a URL: {root}; mount or copy them first")
    text = str(root)
    # `Path.exists` raises for a long list in braces, which no file system takes for a name.
    if os.path.exists(text):  # noqa: PTH110
        yield glob.escape(text)
        return
    count = 0
    waiting = [text]
    while waiting:
        text = waiting.pop()
        found = next((match for match in _BRACES.finditer(text) if _choices(match[1])), None)
        if found is None:
            count += 1
            if count > MOST_EXPANDED:
                raise UsageError(f"{root} stands for more than {MOST_EXPANDED:,} names")
            yield text
            continue
        choices = _choices(found[1])
        if len(choices) > MOST_EXPANDED:
            raise UsageError(f"{root} stands for more than {MOST_EXPANDED:,} names")
        for index in range(len(choices) - 1, -1, -1):
            waiting.append(text[: found.start()] + _choice(found[1], choices[index]) + text[found.end() :])


def _choices(text: str) -> range | list[str]:
    """What stands between braces: a range of numbers, or texts; nothing if these are no such braces."""
    if numbers := _RANGE.fullmatch(text):
        first, last = int(numbers[1]), int(numbers[2])
        return range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return text.split(",") if "," in text else []


def _choice(text: str, choice: int | str) -> str:
    """A choice as text, numbers as wide as the first of their range is written."""
    return choice if isinstance(choice, str) else f"{choice:0{text.index('.')}}"


def _matching(pattern: str) -> Iterator[Path]:
    """The tars that a pattern without braces names."""
    if not glob.has_magic(pattern) and not Path(pattern).exists():
        raise MissingDataError(f"{pattern} is not there")
    # Not `Path.glob`, which takes no pattern that begins at the root of the file system.
    for name in glob.iglob(pattern, recursive=True) if glob.has_magic(pattern) else [pattern]:  # noqa: PTH207
        path = Path(name)
        if path.is_dir():
            # Compressed ones are an error, since to pass them over in silence would lose their images.
            below = images(path, lambda name: name.lower().endswith(".tar") or bool(_COMPRESSED.search(name)))
            yield from (tar for relative in below if _is_tar(tar := path / relative))
        # Who names one file means it, whatever it is called.
        elif _is_tar(path) or pattern in (name, glob.escape(name)):
            yield path


def _is_tar(path: Path) -> bool:
    if _COMPRESSED.search(path.name):
        raise UsageError(
            f"{path} is compressed, and images are read by their place in a tar; uncompress it first, for "
            "example with `gunzip`"
        )
    return path.suffix.lower() == ".tar"
