"""JSON that others wrote: data only, and one kind of error whatever is wrong with it."""

from __future__ import annotations

import json
from typing import Any


def from_json(text: str | bytes) -> Any:
    """The value that a text of JSON stands for.

    Raises:
        ValueError: It is none, is no valid UTF-8, or has more brackets in one another than Python can follow.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("too many brackets in one another") from error
