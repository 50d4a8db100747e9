"""Remove credentials in URLs and private folder names from messages and published files."""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

# A user name alone is no secret (`abfs://container@account`), except in an http URL, where it is a token.
_USER = re.compile(r"(https?://(?=[^\s/'\"]*@)|[A-Za-z][A-Za-z0-9+.-]*://(?=[^\s/'\":@]*:))[^\s/'\"]*@")
_QUERY = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s?'\"]*\?)[^\s'\"]+")
_FOLDERS = re.compile(r"(?:(?<![\w./:*\\-])/|\b[A-Za-z]:\\)(?:[^\s\\/'\",:;()]+[\\/])+")


def has_credentials(url: str) -> bool:
    """Whether a URL has a user and password, or for http a token instead."""
    return _USER.search(url) is not None


def redact(text: str) -> str:
    """The text with ``***`` for the user, password and query of each URL in it."""
    return _QUERY.sub(r"\1***", _USER.sub(r"\1***@", text))


def public_path(text: str) -> str:
    """A path for a published file: only the last name of an absolute path."""
    path = Path(text)
    return redact(path.name if path.is_absolute() else text)


def public_text(text: str) -> str:
    """A message for a published file, with only the last name of each absolute path."""
    return _FOLDERS.sub("", redact(text))


def public_command(words: Iterable[str]) -> str:
    """A command line for a published file, with `public_path` of each word and value."""
    return shlex.join("=".join(map(public_path, word.split("="))) for word in words)
