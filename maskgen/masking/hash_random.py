"""Random numbers as hashes of a seed and names.

A draw does not depend on earlier draws, on the order of work, or on a library's generator. A new kind of draw
does not change the existing ones.
"""

import hashlib
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def draw_bits(seed: int, *names: str | int) -> int:
    """63 random bits for (seed, *names)."""
    key = "\0".join(str(part) for part in (seed, *names)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1


def draw_unit(seed: int, *names: str | int) -> float:
    """A uniformly distributed number in [0, 1) for (seed, *names)."""
    return (draw_bits(seed, *names) >> 10) / 2.0**53


def draw_units(count: int, seed: int, *names: str | int) -> list[float]:
    """Up to eight uniformly distributed numbers in [0, 1) for (seed, *names)."""
    key = "\0".join(str(part) for part in (seed, *names)).encode("utf-8", "surrogateescape")
    numbers = struct.unpack(">8Q", hashlib.sha512(key).digest())
    return [(number >> 11) / 2.0**53 for number in numbers[:count]]


def draw_weighted(choices: Sequence[tuple[str, float]], seed: int, *names: str | int) -> str:
    """One value of ``choices`` (value, weight), with a probability proportional to its weight."""
    point = draw_unit(seed, *names) * sum(weight for _, weight in choices)
    for value, weight in choices:
        point -= weight
        if point < 0:
            return value
    return next(value for value, weight in reversed(choices) if weight > 0)


def draw_array(count: int, seed: int, *names: str | int) -> NDArray[np.float32]:
    """(count,) uniformly distributed numbers in [0, 1) for (seed, *names)."""
    key = "\0".join(str(part) for part in (seed, *names)).encode("utf-8", "surrogateescape")
    words = np.frombuffer(hashlib.shake_128(key).digest(4 * count), "<u4")
    return (words >> 8).astype(np.float32) / np.float32(2**24)
