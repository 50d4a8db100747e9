"""Read untrusted JSON, and write JSON lines that are always valid UTF-8."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from maskgen.files.path_text import to_text

LONGEST_TEXT = 65_536  # characters; half the limit of Python's csv module
DEEPEST = 16  # levels of nested lists and objects


def from_json(text: str | bytes) -> Any:
    """Parse JSON; a `ValueError` if it is not JSON, not valid UTF-8, or too deeply nested."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("too many nested brackets") from error


def fitting(value: Any, depth: int = 0) -> Any:
    """The value within the limits of a row: long text is cut and ends in a hash, deep values become null."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"{value[: LONGEST_TEXT // 2]}~{digest}"
    if isinstance(value, (Mapping, list, tuple)):
        if depth >= DEEPEST:
            return None
        if isinstance(value, Mapping):
            return {fitting(str(name)): fitting(each, depth + 1) for name, each in value.items()}
        return [fitting(each, depth + 1) for each in value]
    return value


_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

# Legal inside JSON, but line ends for Python's `splitlines` and JavaScript.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_UNDECODABLE = re.compile("[\udc80-\udcff]")


def json_line(values: Mapping[str, Any]) -> str:
    """One line of JSON without the line end; always valid UTF-8, with null for NaN and infinity."""
    try:
        text = _to_json(values)
    except ValueError:
        with_nan = json.dumps(values, ensure_ascii=False)
        text = _to_json(json.loads(with_nan, parse_constant=lambda constant: None))
    if text.isascii():
        return text
    text = _LINE_ENDS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    text = _UNDECODABLE.sub(lambda match: to_text(match[0]), text)
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
