"""Decoded training images, kept in memory or on disk, so that later epochs decode nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import UsageError

LARGEST_IN_MEMORY = 4 * 2**30  # bytes


class Decoded:
    """The images of `count` examples with a side of `size` pixels; each is stored when it is first read.

    They are kept in memory, up to 4 GiB, or in a new file at `path`, which the operating system maps into
    memory: it can be larger than that. Threads can use it at the same time.
    """

    def __init__(self, count: int, size: int, path: Path | None = None) -> None:
        shape = (count, size, size, 3)
        needed = count * size * size * 3
        if path is None and needed > LARGEST_IN_MEMORY:
            raise UsageError(
                f"--cache memory would take {needed / 2**30:.1f} GiB for {count:,} images of {size} pixels: "
                "give --cache disk, or omit it"
            )
        self._images: NDArray[np.uint8] = (
            np.empty(shape, np.uint8)
            if path is None
            else np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        )
        self._is_stored = np.zeros(count, np.bool_)

    def image(self, place: int, read: Callable[[int], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """The image of an example, (size, size, 3) uint8; `read` decodes it the first time."""
        if not self._is_stored[place]:
            self._images[place] = read(place)
            self._is_stored[place] = True
        image: NDArray[np.uint8] = self._images[place]
        return image
