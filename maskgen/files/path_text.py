"""Convert file names to valid text, for manifests and messages, and back.

An undecodable byte becomes ``%FF``, an ambiguous ``%`` becomes ``%25``; no two names become the same text.
"""

import os
import re

_AMBIGUOUS = re.compile("%(?=(?:25)*[89A-F][0-9A-F])")
_ESCAPE = re.compile("%25(?=(?:25)*[89A-F][0-9A-F])|%([89A-F][0-9A-F])")
_UNDECODABLE = re.compile("[\ud800-\udfff]")


def to_text(name: str) -> str:
    """The valid text of a file name or path, which may hold surrogates for undecodable bytes."""
    if name.isascii() and "%" not in name:
        return name
    name = _AMBIGUOUS.sub("%25", name)
    return _UNDECODABLE.sub(lambda match: "%" + os.fsencode(match[0]).hex("%").upper(), name)


def from_text(text: str) -> str:
    """The file name or path of a text from `to_text`."""
    if "%" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(0xDC00 + int(match[1], 16)) if match[1] else "%", text)
