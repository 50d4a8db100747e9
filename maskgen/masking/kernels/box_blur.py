"""TODO."""

from __future__ import annotations

import math


def box_side(sigma: float) -> int:
    """Side, odd, of the box filter that, run twice, blurs about as a Gaussian of that deviation does.

    A box of side b has a variance of (b^2 - 1) / 12, two of them twice that. What a box filter costs does
    not depend on its side.
    """
    return 2 * round((math.sqrt(6 * sigma**2 + 1) - 1) / 2) + 1
