"""What no message and no published file may hold: credentials in URLs, and folders that name a user."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

# A name alone is no secret: `abfs://container@account` names a folder, but in an http URL it is a token.
_USER = re.compile(r"(https?://(?=[^\s/'\"]*@)|[A-Za-z][A-Za-z0-9+.-]*://(?=[^\s/'\":@]*:))[^\s/'\"]*@")
_QUERY = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s?'\"]*\?)[^\s'\"]+")
_FOLDERS = re.compile(r"(?:(?<![\w./:*\\-])/|\b[A-Za-z]:\\)(?:[^\s\\/'\",:;()]+[\\/])+")


def has_credentials(url: str) -> bool:
    """Whether a URL has a user and a password, or for http a token in the place of both."""
    return _USER.search(url) is not None


def redact(text: str) -> str:
    """The text with ``***`` for the user, password and query of each URL in it."""
    return _QUERY.sub(r"\1***", _USER.sub(r"\1***@", text))


def public_path(text: str) -> str:
    """A path for a file that is published: as given, but of an absolute one the last name alone."""
    path = Path(text)
    return redact(path.name if path.is_absolute() else text)


def public_text(text: str) -> str:
    """A message for a file that is published: of each absolute path in it the last name alone."""
    return _FOLDERS.sub("", redact(text))


def public_command(words: Iterable[str]) -> str:
    """A command line for a file that is published, by `public_path` of each word and value."""
    return shlex.join("=".join(map(public_path, word.split("="))) for word in words)
