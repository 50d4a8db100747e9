"""Read a user's text file: detect its encoding, limit its size."""

import codecs
from pathlib import Path


def read_text_file(path: Path, most_bytes: int) -> str:
    """Decode a file by `decode_text`; a `ValueError` without its name if it has over ``most_bytes``."""
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"the file is larger than {most_bytes:,} bytes, the limit for files of its kind")
    return decode_text(data)


def decode_text(data: bytes) -> str:
    """Decode UTF-8 or UTF-16, with or without byte order mark, or else Latin-1; a `ValueError` for a NUL."""
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    # UTF-16 without a mark: each ASCII letter has a NUL on one side.
    elif data[1:2] == data[3:4] == b"\0" and b"\0" not in data[:4:2]:
        encoding = "utf-16-le"
    elif data[:1] == data[2:3] == b"\0" and b"\0" not in data[1:4:2]:
        encoding = "utf-16-be"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if (nul := text.find("\0")) >= 0:
        line = text.count("\n", 0, nul) + 1
        raise ValueError(f"line {line}: expected text, got a NUL byte; is the file damaged?")
    return text
