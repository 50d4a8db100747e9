"""Path checks that keep reads below a root: `refuse_escape` of a path's text, `contained` of its links."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePath

from maskgen.errors import AnnotationError
from maskgen.files.remote import is_remote

_ABSOLUTE = re.compile(r"[\\/]|[A-Za-z]:[\\/]")

_real_path: Callable[[str], str] = lru_cache(maxsize=4096)(os.path.realpath)

# A setting of the process, because adapters are functions of the root alone.
_following = False


@contextmanager
def following_links(follow: bool = True) -> Iterator[None]:
    """Allow links that lead out of a root inside the block: ``--follow-links``."""
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
    """Return the text of a path in a label file or manifest, if it stays below its root.

    An `AnnotationError` about ``where``, the file and line, if it does not, or cannot be a file name.
    """
    if not text or text.isspace():
        raise AnnotationError(f"{where}: expected a path below the dataset's root, got an empty one")
    if _ABSOLUTE.match(text):
        raise AnnotationError(f"{where}: {text!r} is an absolute path; expected one below the dataset's root")
    if ".." in text and ".." in re.split(r"[\\/]", text):
        raise AnnotationError(f"{where}: {text!r} has a '..'; expected a path below the dataset's root")
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise AnnotationError(f"{where}: {text!r} cannot be a file name on this system") from error
    if "\0" in text:
        raise AnnotationError(f"{where}: {text!r} cannot be a file name: it holds a NUL")
    return text


def leads_out(path: str) -> bool:
    """Whether a path in maskgen's own files leaves its folder, by the separators of this system alone."""
    if os.sep == "/" and ".." not in path and "\0" not in path:
        return not path or path[0] == "/"
    pure = PurePath(path)
    return not path or "\0" in path or bool(pure.drive or pure.root) or ".." in pure.parts


def contained(root: Path, relative: str, where: str) -> str:
    """Return a relative path; an `AnnotationError` if a link in it leads out of the root."""
    if _following or is_remote(root):
        return relative
    folder, _, name = relative.rpartition("/")
    target = os.path.join(_real_path(os.path.join(str(root), folder)), name)  # noqa: PTH118
    if os.path.islink(target):  # noqa: PTH114
        target = os.path.realpath(target)
    if not is_below(target, _real_path(str(root))):
        raise AnnotationError(f"{where}: {leaving_link(root, relative, target)}")
    return relative


def is_below(path: str, folder: str) -> bool:
    """Whether a resolved path equals a resolved folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
