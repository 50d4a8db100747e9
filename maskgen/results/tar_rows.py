"""The JSON member beside each image in a tar: its manifest row, with the same types in every member.

Hugging Face's `datasets` infers the types from the first five members, and refuses others after a null or
after objects with differing keys. In a member, a missing text is therefore empty, and ``attributes`` is JSON
text.
"""

from __future__ import annotations

import json
from typing import Any

from maskgen.files.json_text import json_line
from maskgen.records import ManifestRow
from maskgen.results.manifest import row_to_json


def member_of(place: str) -> str:
    """The JSON member of an image, both by their manifest names.

    Args:
        place: The image, such as ``shards/000012.tar/KEY.jpg``; a key has no dot.
    """
    tar, end, member = place.partition(".tar/")
    folder, slash, name = member.rpartition("/")
    return f"{tar}{end}{folder}{slash}{name.partition('.')[0]}.json"


def member_json(row: ManifestRow) -> bytes:
    """The content of the JSON member of a masked row."""
    values: dict[str, Any] = _without_null(json.loads(row_to_json(row)))
    values["attributes"] = json_line(row.attributes)
    return json_line(values).encode()


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_null(part) for part in value]
    return "" if value is None else value
