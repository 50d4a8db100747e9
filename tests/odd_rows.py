"""Rows of manifests that are odd or wrong, made from those of two small results."""

import contextlib
import json

from small_runs import masked, write_dataset

from maskgen.errors import ConfigurationError
from maskgen.results.card import write_card
from maskgen.results.manifest import row_from_json

# What JSON text says and `json.dumps` does not; put in for these texts once a row is written.
RAW = {
    "@NaN": "NaN",
    "@inf": "1e400",
    "@deep": "[" * 500 + "]" * 500,
    "@deeper": "[" * 100_000,
    "@digits": "9" * 5000,
    "@large": "9" * 400,
    "@surrogate": '"\\ud800"',
    "@zero": '"a\\u0000b"',
}
BAD_PATHS = [
    "../x.jpg",
    "/etc/passwd",
    "a/../../x.jpg",
    "..",
    ".",
    "",
    "a/.",
    "a//b",
    "female/",
    "./a",
    "a\0b",
]
ODD = [
    "shards/000000.tar/a",
    "shards/000000.tar",
    *BAD_PATHS,
    *RAW,
    "y" * 70_000,
    "=1+1",
    "a\r\nb",
    "\u2028",
    "female",
    "x" * 300 + "/1.jpg",
]
ODD += [-1, 0, 10**9, 10**18, 10**30, 1.5, True, None, [], {}, [1, 2, 3, 4], [0, 0, -1, -1]]


def places(value, path=()):
    """The path to every value in a row, at any depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


def changed(row, changes):
    """One line of a manifest, with values changed, fields added or left out, or one given twice."""
    made = json.loads(json.dumps(row))
    twice = ""
    for path, value, how in changes:
        inner = made
        with contextlib.suppress(LookupError, TypeError):
            for step in path[:-1]:
                inner = inner[step]
            if how == "drop":
                del inner[path[-1]]
            elif how == "twice":
                twice = json.dumps({str(path[-1]): value})[1:-1] + ", "
            elif how == "unknown":
                inner["unknown"] = value
            else:
                inner[path[-1]] = value
    text = json.dumps(made)
    text = text[0] + twice + text[1:]
    for name, raw in RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text + "\n"


def is_row(line):
    with contextlib.suppress(ConfigurationError):
        return bool(row_from_json(line))
    return False


def write_results(top):
    """Two results of four images, one of them in tars: its folder and its rows."""
    root = write_dataset(top / "faces", count=4)
    found = {}
    for layout in ("mirror", "webdataset"):
        out = root.with_name(layout)
        masked(root, out, pairs=True, alpha=True, layout=layout)
        write_card(out, preview=False)
        found[layout] = out, [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    return found
