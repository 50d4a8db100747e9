"""Nothing outside a dataset's root is read: the two checks that see to it.

`refuse_escape` looks at the text of a path that an annotation file holds, `contained` at where a
path leads once its links are followed. `following_links` turns the second off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePath

from maskgen.errors import AnnotationError
from maskgen.files.remote import is_remote

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SEPARATORS = re.compile(r"[\\/]")

# Of this process, and not of a root: adapters are functions of the root alone.
_following = False


@contextmanager
def following_links(follow: bool = True) -> Iterator[None]:
    """Allow links that lead out of a root while the block lasts: ``--follow-links``."""
    global _following  # noqa: PLW0603
    before, _following = _following, follow
    try:
        yield
    finally:
        _following = before


def follows_links() -> bool:
    """Whether links may lead out of a root."""
    return _following


def leaving_link(root: Path, relative: str, target: str) -> AnnotationError:
    """The error for a link that leads out of a root."""
    name, place = (os.fsencode(path).decode("utf-8", "backslashreplace") for path in (relative, target))
    return AnnotationError(f"{name} is a link out of {root}, to {place}; --follow-links allows it")


def refuse_escape(text: str, where: str) -> str:
    """The path as given, once its text is known to lead nowhere but down.

    Args:
        text: A path from an annotation file.
        where: File and line it stands on, for the error.

    Raises:
        AnnotationError: The path is empty, absolute, has a ``..`` or can be no file name at all.
    """
    if not text or text.isspace():
        raise AnnotationError(f"{where}: expected a path below the dataset's root, got an empty one")
    if text[0] in "/\\" or _DRIVE.match(text):
        raise AnnotationError(f"{where}: {text!r} is an absolute path; expected one below the dataset's root")
    if ".." in text and ".." in _SEPARATORS.split(text):
        raise AnnotationError(f"{where}: {text!r} has a '..'; expected a path below the dataset's root")
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise AnnotationError(f"{where}: {text!r} cannot be a file name on this system") from error
    if "\0" in text:
        raise AnnotationError(f"{where}: {text!r} cannot be a file name: it holds a NUL")
    return text


def leads_out(path: str) -> bool:
    """Whether a path, as this system reads it, leads elsewhere than down from where it starts.

    For the names in files of our own, which hold whatever this system takes for a name: a backslash too,
    where that is no separator.
    """
    if os.sep == "/" and ".." not in path and "\0" not in path:
        return not path or path[0] == "/"
    pure = PurePath(path)
    return not path or "\0" in path or bool(pure.drive or pure.root) or ".." in pure.parts


def contained(root: Path, relative: str, where: str) -> str:
    """The relative path as given, once its links are known to stay below the root.

    The root itself may be a link. A path that does not exist is contained: there is nothing to read.

    Raises:
        AnnotationError: A link on the way leads out of the root.
    """
    if _following or is_remote(root):
        return relative
    folder, _, name = relative.rpartition("/")
    real_root = _real(str(root))
    target = os.path.join(_real(os.path.join(str(root), folder)), name)  # noqa: PTH118
    if os.path.islink(target):  # noqa: PTH114
        target = os.path.realpath(target)
    if not is_below(target, real_root):
        raise AnnotationError(f"{where}: {leaving_link(root, relative, target)}")
    return relative


def is_below(path: str, folder: str) -> bool:
    """Whether a resolved path is the resolved folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


@lru_cache(maxsize=4096)
def _real(folder: str) -> str:
    return os.path.realpath(folder)
