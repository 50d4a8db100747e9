"""Plain colours of real masks: each name is a distribution in CIE Lab, and no two masks are of one blue."""

import re

import numpy as np

from maskgen.errors import UsageError
from maskgen.masking.hash_random import draw_array
from maskgen.masking.materials.palette import bgr_to_lab, lab_to_bgr

Lab = tuple[float, float, float]

# Name -> mean and standard deviation in Lab (L to 100) in neutral light. White, blue, mint, black, charcoal,
# navy, pink and red follow medians in 156 photographs of masked people, whose white masks have no cast and an
# L of 88; the spread is less than that of the photographs, which have their light in it. Patches of dark ones
# have an L of 5 to 27 there (10th and 90th percentile of 50). The others are by judgement.
COLORS: dict[str, tuple[Lab, Lab]] = {
    "white": ((92.0, -0.2, 0.4), (1.9, 0.6, 1.3)),
    "off_white": ((87.5, 0.8, 5.5), (2.0, 0.7, 2.0)),
    "surgical_blue": ((78.5, -5.0, -14.0), (4.0, 2.2, 3.2)),
    "light_blue": ((83.5, -3.5, -9.5), (3.5, 1.5, 2.4)),
    "deep_blue": ((65.0, -6.0, -25.0), (4.0, 3.0, 4.0)),
    "mint": ((80.0, -11.0, 1.0), (4.0, 2.6, 2.6)),
    "surgical_green": ((66.0, -15.0, -2.0), (5.0, 4.0, 4.0)),
    "black": ((11.0, 0.4, -0.6), (4.5, 0.8, 1.3)),
    "faded_black": ((19.0, 0.5, -1.0), (5.0, 0.9, 1.6)),
    "charcoal": ((33.0, 0.5, -2.5), (6.0, 1.2, 2.6)),
    "grey": ((54.0, 0.3, -1.5), (6.0, 1.0, 2.0)),
    "light_grey": ((73.0, 0.2, -1.5), (4.0, 0.8, 1.8)),
    "navy": ((25.0, 4.0, -17.0), (4.0, 2.0, 4.5)),
    "slate_blue": ((42.0, 0.5, -16.0), (6.0, 2.0, 4.5)),
    "royal_blue": ((38.0, 8.0, -36.0), (4.0, 4.0, 5.0)),
    "pink": ((81.0, 17.0, 3.5), (3.0, 4.0, 3.0)),
    "rose": ((66.0, 27.0, 6.0), (5.0, 5.0, 4.0)),
    "lilac": ((77.0, 9.0, -12.0), (4.0, 2.5, 3.0)),
    "purple": ((36.0, 20.0, -20.0), (5.0, 4.0, 5.0)),
    "beige": ((76.0, 3.0, 14.0), (4.0, 1.6, 3.0)),
    "taupe": ((59.0, 2.5, 9.0), (5.0, 1.4, 2.5)),
    "brown": ((34.0, 9.0, 14.0), (5.0, 2.5, 4.0)),
    "khaki": ((58.0, 0.0, 17.0), (5.0, 2.0, 4.0)),
    "olive": ((39.0, -4.0, 15.0), (5.0, 2.0, 4.0)),
    "forest_green": ((32.0, -14.0, 7.0), (5.0, 4.0, 4.0)),
    "teal": ((45.0, -18.0, -10.0), (5.0, 4.0, 4.0)),
    "red": ((42.0, 50.0, 26.0), (4.0, 5.0, 5.0)),
    "burgundy": ((27.0, 28.0, 10.0), (4.0, 4.0, 3.5)),
    "coral": ((64.0, 37.0, 24.0), (4.0, 5.0, 5.0)),
    "orange": ((65.0, 34.0, 50.0), (4.0, 5.0, 6.0)),
    "mustard": ((68.0, 8.0, 50.0), (5.0, 3.5, 6.0)),
    "yellow": ((82.0, -2.0, 48.0), (3.0, 3.0, 10.0)),
    "pale_yellow": ((91.0, -2.5, 12.0), (2.0, 1.0, 3.0)),
}
_BLACKEST = 15.0  # of plain cloth, in sRGB: ink on a print is not so black
# What a colour that is given as #rrggbb differs by, from mask to mask.
_DYE_SPREAD: Lab = (1.5, 0.9, 0.9)


def draw_color(name: str, seed: int) -> tuple[int, int, int]:
    """Draw one mask's colour, as BGR.

    Args:
        name: One of `COLORS`, or ``#rrggbb``, which is met but for a small difference of dye.
        seed: The same seed gives the same colour.

    Raises:
        UsageError: There is no such colour.
    """
    if re.fullmatch("#[0-9a-fA-F]{6}", name):
        bgr = np.frombuffer(bytes.fromhex(name[1:]), np.uint8)[::-1]
        mean, spread = bgr_to_lab(bgr[None])[0].tolist(), _DYE_SPREAD
    elif name in COLORS:
        mean, spread = COLORS[name]
    else:
        raise UsageError(f"colour must be #rrggbb or one of {', '.join(COLORS)}; got {name!r}")
    units = draw_array(9, seed, "color", name).tolist()
    # The sum of three uniform numbers is nearly normal, within 3 standard deviations.
    shifts = (2 * (sum(units[k::3]) - 1.5) for k in range(3))
    lab = [center + shift * reach for center, shift, reach in zip(mean, shifts, spread, strict=True)]
    blue, green, red = lab_to_bgr(np.array([lab], np.float32), _BLACKEST)[0].tolist()
    return blue, green, red
