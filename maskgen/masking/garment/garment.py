"""What one garment is: outline, relief, material, trims and loops, all in the garment's own coordinates.

x is 0 on the midline and grows to the right, y is 0 at the line of the eyes and grows downwards, both along
the unrolled head (`surface`) and in eye distances (about 9 cm). A hang or wear moves the whole garment over
the face.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.masking.garment.outline import Outline
from maskgen.masking.garment.relief import Relief
from maskgen.records import Image

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
StandOff = Callable[[Array, Array], Array]
Color = tuple[float, float, float]  # BGR, from 0 to 255

# Edges of an outline, as `outline.inside` numbers them.
TOP, BOTTOM, SIDE = 0, 1, 2


def darkness(color: Color) -> float:
    """From 0 for a white to 1 for a black colour."""
    blue, green, red = color
    return (1 - (0.11 * blue + 0.59 * green + 0.3 * red) / 255) ** 2


@dataclass(frozen=True)
class Trim:
    """A band along an edge: a binding, a hem, a welded or a stitched line.

    Attributes:
        edge: TOP, BOTTOM or SIDE.
        start: Distance of the band from the edge, in eye distances.
        width: Its width.
        height: How far it stands out (negative for a groove).
        color: Its colour; None for the cloth's.
        spacing: Distance of the dots or stitches that it consists of; 0 for a continuous band.
    """

    edge: int
    start: float
    width: float
    height: float = 0.0
    color: Color | None = None
    spacing: float = 0.0


@dataclass(frozen=True, eq=False)
class Patch:
    """An image that lies on the cloth: a valve, a nose clip or a printed mark.

    Attributes:
        bgra: (n, m, 4) uint8, straight alpha.
        heights: (n, m) float32, in eye distances; None if it is flat.
        place: (x, y) of its middle.
        size: (width, height).
    """

    bgra: Image
    heights: Floats | None
    place: tuple[float, float]
    size: tuple[float, float]


@dataclass(frozen=True)
class Loop:
    """A loop or strap from the garment to the ear or around the head.

    Attributes:
        start: (x, y) on the garment; its mirror image is drawn too.
        end: (u, v) on the head.
        width: Its width in eye distances.
        color: Its colour.
        sag: How far its middle hangs below the straight way, in eye distances.
        over_hair: Whether it goes around the head, over hair, and not behind the ear.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    width: float
    color: Color
    sag: float = 0.0
    over_hair: bool = False


@dataclass(frozen=True, eq=False)
class Cloth:
    """The material.

    Attributes:
        color: Its colour in neutral light.
        tile: (n, m, 3) uint8 of a print that repeats; None for plain cloth.
        tile_size: (width, height) of the print's tile in eye distances.
        weave: (n, n) float32 of a fine texture that repeats, as a share of the lightness; n is a power of 2.
        weave_size: Side of its tile in eye distances.
        weave_start: Where in its tile the weave starts, as a share of it, from 0 to 1.
        sheen: Strength of the reflection.
    """

    color: Color
    tile: Image | None = None
    tile_size: tuple[float, float] = (1.0, 1.0)
    weave: Floats | None = None
    weave_size: float = 1.0
    weave_start: float = 0.0
    sheen: float = 0.0


@dataclass(frozen=True, eq=False)
class Garment:
    """One mask, as it is for one face of one image."""

    outline: Outline
    relief: Relief
    # (x, y) arrays -> how far the cloth stands off the face there, in eye distances.
    stand_off: StandOff
    cloth: Cloth
    trims: tuple[Trim, ...] = ()
    patches: tuple[Patch, ...] = ()
    loops: tuple[Loop, ...] = ()
    # Share of a slide that its corners make; None for corners on elastic loops.
    corners_slide: float | None = None
