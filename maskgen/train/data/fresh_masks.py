"""Masks that are put on unmasked training images while training: another one in each epoch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskgen.api.masker import Masker
from maskgen.images.codec import decode
from maskgen.results.reader import read_image_file
from maskgen.train.data.examples import Example
from maskgen.train.data.model_input import resized


class FreshMasks:
    """Masks of the street mix for a share of the images of each epoch.

    Args:
        share: Share of the images, from 0 to 1.
        landmarks: Landmark file with the faces of the images (``maskgen landmarks``). An image without a face
            in it, or with one that ``maskgen synth`` would leave alone, stays unmasked.
        seed: Seed of the masks.
    """

    def __init__(self, share: float, landmarks: Path, seed: int) -> None:
        self.share = share
        self._masker = Masker(seed=seed % 2**63, landmarks=landmarks)

    def image(self, example: Example, size: int, epoch: int) -> NDArray[np.uint8]:
        """The model input of an example with its mask of an epoch, (size, size, 3) uint8 RGB."""
        rgb = np.ascontiguousarray(decode(read_image_file(example.path, example.member)).bgr[:, :, ::-1])
        name = example.sample_id
        masked = self._masker(rgb, key=f"{name} in epoch {epoch}", landmarks=name)
        return resized(masked.image, example.region, size)
