"""Square blocks in random colours: a print of no real cloth, for experiments that ask for noise."""

import cv2

from maskgen.masking.hash_random import draw_array
from maskgen.masking.materials.cloth import Cloth, Print
from maskgen.masking.materials.palette import Palette

NOISES = (
    "e1dcd2 3f6fa8 c9553f 4f9a63", "2b2f38 c9b24a 8a4f9a d9dde2", "d9c7a3 7a3f3f 3a7f86 e0a04f",
    "46505f b8d0c0 d07a9a e8e2c8", "e6e6e4 8c8e92 4a4c50 1f2023", "35507a d98f4a 7fb08a e8dcd0",
)  # fmt: skip

_BLOCK_CM, _CELLS = 0.4, 24


def noise(seed: int, palette: Palette, pixels_per_cm: float) -> Print:
    """Blocks of 4 mm, each in one of the palette's colours."""
    side = _BLOCK_CM * _CELLS
    cloth, colors = Cloth((side, side), pixels_per_cm, palette.ground), palette.colors()
    picks = (draw_array(_CELLS * _CELLS, seed, "blocks") * len(colors)).astype(int)
    cells = colors[picks].reshape(_CELLS, _CELLS, 3)
    cloth.bgr[:] = cv2.resize(cells, cloth.bgr.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return cloth.finish()
