"""The prints by name: a motif and its palettes, drawn from a seed at a resolution."""

from collections.abc import Callable
from dataclasses import dataclass

from maskgen.errors import UsageError
from maskgen.masking.materials.cloth import Print
from maskgen.masking.materials.motifs import (
    bandana,
    blocks,
    blotches,
    denim,
    florals,
    geometric,
    scattered,
    woven,
)
from maskgen.masking.materials.palette import Palette, draw_palette


@dataclass(frozen=True)
class Motif:
    """A kind of print: the palettes it comes in ("rrggbb ...", the ground first), and how it is drawn."""

    palettes: tuple[str, ...]
    draw: Callable[[int, Palette, float], Print]


MOTIFS = {
    "bandana": Motif(bandana.BANDANAS, bandana.bandana),
    "camouflage": Motif(blotches.CAMOUFLAGE, blotches.camouflage),
    "camouflage_grey": Motif(blotches.CAMOUFLAGE_GREY, blotches.camouflage),
    "checks": Motif(woven.CHECKS, woven.checks),
    "denim": Motif(denim.DENIMS, denim.denim),
    "dots": Motif(scattered.DOTS, scattered.dots),
    "floral_large": Motif(florals.LARGE, florals.floral_large),
    "floral_small": Motif(florals.SMALL, florals.floral_small),
    "geometric": Motif(geometric.GEOMETRICS, geometric.geometric),
    "gingham": Motif(woven.GINGHAMS, woven.gingham),
    "icons": Motif(scattered.ICONS, scattered.icons),
    "leopard": Motif(blotches.LEOPARD, blotches.leopard),
    "noise": Motif(blocks.NOISES, blocks.noise),
    "pinstripes": Motif(woven.PINSTRIPES, woven.pinstripes),
    "plaid": Motif(woven.PLAIDS, woven.plaid),
    "scribbles": Motif(blotches.SCRIBBLES, blotches.scribbles),
    "stars": Motif(scattered.STARS, scattered.stars),
    "stripes": Motif(woven.STRIPES, woven.stripes),
    "tie_dye": Motif(blotches.TIE_DYES, blotches.tie_dye),
}


def draw_print(motif: str, seed: int, pixels_per_cm: float, palette: Palette | None = None) -> Print:
    """Draw a print from a seed: its scale, arrangement and, unless ``palette`` says otherwise, its colours.

    Args:
        motif: One of `MOTIFS`.
        seed: Decides everything about the print but its resolution.
        pixels_per_cm: The resolution of the tile, of which more than 40 are left out. It changes nothing but
            what is too fine to see.
        palette: The colours, or `None` for some of the motif's own.

    Raises:
        UsageError: There is no such motif.
    """
    if motif not in MOTIFS:
        raise UsageError(f"print must be one of {', '.join(MOTIFS)}; got {motif!r}")
    kind = MOTIFS[motif]
    return kind.draw(seed, palette or draw_palette(kind.palettes, seed), pixels_per_cm)
