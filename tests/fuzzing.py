"""What the fuzz tests feed: files that are damaged, and JSON of which parts are something else.

``MASKGEN_FUZZ=N`` makes the examples N times as many.
"""

import json
import os
from contextlib import suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from maskgen.errors import MaskgenError

TIMES = int(os.environ.get("MASKGEN_FUZZ", "1"))


def examples(count):
    return settings(
        max_examples=count * TIMES,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def damaged(*wholes):
    """Files with bytes changed, cut out, put in, doubled or cut off; or no such file at all."""
    place = st.floats(0, 1, allow_nan=False)
    change = st.tuples(st.sampled_from(("set", "cut", "put", "end", "again")), place, st.binary(max_size=6))

    def apply(whole, changes):
        data = bytearray(whole)
        for kind, where, new in changes:
            at = int(where * len(data))
            if kind == "set":
                data[at : at + len(new)] = new
            elif kind == "cut":
                del data[at : at + len(new) ** 2]
            elif kind == "put":
                data[at:at] = new
            elif kind == "end":
                del data[at:]
            else:
                data[at:at] = data[at // 2 : at]
        return bytes(data)

    return st.builds(apply, st.sampled_from(wholes), st.lists(change, max_size=5)) | st.binary(max_size=60)


# Any JSON there is, and some that Python reads though there is none such.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(("..", "../x.jpg", "/etc/passwd", "C:\\x", "a/../../b", "a\0b", "\ud800", "=1+1")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=6,
)
DEEP = b"[" * 100_000


def with_values(whole, at_most=3):
    """A JSON object some of whose values, at any depth, are replaced or removed."""

    def apply(changes):
        made = json.loads(json.dumps(whole))
        for picked, value, drop in changes:
            inner = made
            for step in picked:
                keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
                if not keys:
                    break
                key = keys[step % len(keys)]
                if isinstance(inner[key], (dict, list)) and step % 3:
                    inner = inner[key]
                    continue
                if drop:
                    del inner[key]
                else:
                    inner[key] = value
                break
        return json.dumps(made).encode()

    path = st.lists(st.integers(0, 40), min_size=1, max_size=4)
    return st.builds(apply, st.lists(st.tuples(path, VALUES, st.booleans()), max_size=at_most))


def only_ours(function, *given_to):
    with suppress(MaskgenError):
        return function(*given_to)
