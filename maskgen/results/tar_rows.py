"""The JSON member beside each image in a tar: its row of the manifest, with the same types in every member.

Hugging Face's `datasets` takes the types of all members from the first five: a null there, or an object
whose keys differ, makes it refuse the rest. So in a member a text that is missing is empty, and
``attributes`` is the text of a JSON object.
"""

from __future__ import annotations

import json
from typing import Any

from maskgen.files.json_text import json_line
from maskgen.records import ManifestRow
from maskgen.results.manifest import row_to_json


def member_of(place: str) -> str:
    """The JSON member that belongs to an image, both as the manifest names them.

    Args:
        place: Such as ``shards/000012.tar/KEY.jpg``; a key has no dot.
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
