"""Denim: dyed warp over white weft, uneven in the yarn and paler where it is worn."""

import numpy as np

from maskgen.masking.hash_random import draw_units
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.noise import fractal_noise, smooth_noise
from maskgen.masking.materials.palette import Palette

DENIMS = (
    "34486a c3cad3", "27344d b3bac5", "5b7797 d3d9df", "7f99b3 dfe4e8", "2a2b30 9a9b9f",
    "55575d c0c1c4", "445b7c ccd2d9",
)  # fmt: skip


def denim(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Upright slubs and a diagonal of weft flecks, over clouds of wear."""
    slub, wear, twill = draw_units(3, seed, "denim")
    side = 6.0
    cloth = Cloth((side, side), pixels_per_cm, palette.ground, smooth=True)
    height, width = cloth.bgr.shape[:2]
    yarn = smooth_noise((height, width), (5, min(width, round(side * 9))), seed, "yarn")
    fleck = smooth_noise((height, width), (min(height, 60), min(width, 90)), seed, "fleck")
    cloud = fractal_noise((height, width), (3, 3), 2, seed, "wear")
    share = 0.2 + 0.045 * (1 + slub) * yarn + 0.05 * fleck + (0.02 + 0.06 * wear) * cloud
    if pixels_per_cm >= 20:
        x, y = cloth.places()
        lines = round(side / 0.13)
        share += (0.07 + 0.06 * twill) * np.sin(2 * np.pi * lines * (x + y))
    ground, ink = palette.colors()[:2].astype(np.float32)
    cloth.bgr[:] = ground + (ink - ground) * np.clip(share, 0, 0.85)[:, :, None] + 0.5
    return cloth.finish()
