"""Numbers read from text in one compiled loop: a mesh of 468 points is 10 KB of them."""

from __future__ import annotations

import numpy as np

from maskgen.compiled import compiled
from maskgen.landmarks.views import Points
from maskgen.records import Image

_POINT, _MINUS, _COMMA, _SPACE, _ZERO = (ord(sign) for sign in ".-, 0")
_DIGITS = 15  # so many are exact in 64 bits, and so is their quotient by a power of ten
_TENS = np.array([10.0**n for n in range(_DIGITS + 1)])


@compiled
def plain_numbers(text: Image, expected: int) -> tuple[Points, bool]:
    """The numbers of a list like ``12.5, -3.25, 7``, and whether it is that plain and of that length.

    Args:
        text: (bytes,) uint8, without brackets.
        expected: How many numbers there should be.
    """
    numbers = np.empty(expected, np.float64)
    found, at, end = 0, 0, len(text)
    while found < expected:
        while at < end and text[at] == _SPACE:
            at += 1
        negative = at < end and text[at] == _MINUS
        if negative:
            at += 1
        first, value, digits, decimals = at, np.int64(0), 0, -1
        while at < end and digits <= _DIGITS:
            sign = text[at]
            if _ZERO <= sign < _ZERO + 10:
                value = value * 10 + (sign - _ZERO)
                digits += 1
                decimals += decimals >= 0
            elif sign == _POINT and decimals < 0 and digits > 0:
                decimals = 0
            else:
                break
            at += 1
        led_by_zero = digits > 1 and text[first] == _ZERO and text[first + 1] != _POINT
        if digits == 0 or digits > _DIGITS or decimals == 0 or led_by_zero:
            return numbers, False
        number = value / _TENS[max(decimals, 0)]
        numbers[found] = -number if negative else number
        found += 1
        last = found == expected
        if (at == end) != last or (not last and text[at] != _COMMA):
            return numbers, False
        at += 1
    return numbers, True
