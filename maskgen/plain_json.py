"""JSON that others wrote: data only, and one kind of error whatever is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 65_536  # characters; Python's csv module reads twice as many
DEEPEST = 16  # lists and objects in one another


def from_json(text: str | bytes) -> Any:
    """The value that a text of JSON stands for.

    Raises:
        ValueError: It is none, is no valid UTF-8, or has more brackets in one another than Python can follow.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("too many brackets in one another") from error


def fitting(value: Any, depth: int = 0) -> Any:
    """The value as a row may hold it: a long text is cut and ends in a hash, deep values become null."""
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
