"""Random numbers that depend on nothing but their names.

Each draw is a hash of the seed and of what it is for. So no draw depends on how many came before it, on
the order of work, or on a library's generator, and a new kind of draw changes none of the old ones.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence


def draw_bits(seed: int, *names: str | int) -> int:
    """63 random bits for (seed, *names)."""
    key = "\0".join(str(part) for part in (seed, *names)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1


def draw_unit(seed: int, *names: str | int) -> float:
    """A number in [0, 1) for (seed, *names), uniformly distributed."""
    return (draw_bits(seed, *names) >> 10) / 2.0**53


def draw_units(count: int, seed: int, *names: str | int) -> list[float]:
    """``count`` numbers in [0, 1) for (seed, *names), at most eight, uniformly distributed."""
    key = "\0".join(str(part) for part in (seed, *names)).encode("utf-8", "surrogateescape")
    numbers = struct.unpack(">8Q", hashlib.sha512(key).digest())
    return [(number >> 11) / 2.0**53 for number in numbers[:count]]


def draw_weighted(choices: Sequence[tuple[str, float]], seed: int, *names: str | int) -> str:
    """One of ``choices`` (value, weight), as often as its weight says."""
    point = draw_unit(seed, *names) * sum(weight for _, weight in choices)
    for value, weight in choices:
        point -= weight
        if point < 0:
            return value
    return next(value for value, weight in reversed(choices) if weight > 0)
