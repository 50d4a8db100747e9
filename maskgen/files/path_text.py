"""Names of files as text, for manifests and messages, and back.

File systems hold bytes, and old archives hold names that are not UTF-8. As text such a byte is written
``%FF``; a ``%`` that could be taken for one is written ``%25``, so that two names never become the same text.
"""

from __future__ import annotations

import os
import re

_AMBIGUOUS = re.compile("%(?=(?:25)*[89A-F][0-9A-F])")
_ESCAPE = re.compile("%25(?=(?:25)*[89A-F][0-9A-F])|%([89A-F][0-9A-F])")
_UNDECODABLE = re.compile("[\ud800-\udfff]")


def to_text(name: str) -> str:
    """A file name or path, as Python has it from the file system, as text that any program can write down."""
    if name.isascii() and "%" not in name:
        return name
    return _UNDECODABLE.sub(_escaped, _AMBIGUOUS.sub("%25", name))


def from_text(text: str) -> str:
    """The file name or path that `to_text` made this text of, for the file system."""
    if "%" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(0xDC00 + int(match[1], 16)) if match[1] else "%", text)


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(match[0]))
