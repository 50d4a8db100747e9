"""The input pipeline of the training: from files to batches, which Keras's threads read ahead.

The order of an epoch is a permutation of the whole list, drawn from the seed and the epoch. It is a full
shuffle without a buffer, and a resumed run repeats it. Images are decoded as in prediction, by OpenCV, which
releases the interpreter lock.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import MissingDataError, UnreadableImageError, UsageError
from maskgen.keras_runtime import keras
from maskgen.process import usable_cores
from maskgen.train.data.augment import NONE, Augmentation, augmented, draw
from maskgen.train.data.examples import Example
from maskgen.train.data.model_input import shown_example

LARGEST_CACHE = 4 * 2**30  # bytes


class Feed:
    """Batches of a list of examples, as images with a side of `size` pixels.

    The class of an example is the index of its label in `classes`. `weights` are label -> weight in the loss,
    by default 1. `cache` keeps the decoded images in memory, up to 4 GiB.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        classes: Sequence[str],
        size: int,
        batch_size: int,
        weights: Mapping[str, float] | None = None,
        cache: bool = False,
    ) -> None:
        places = {name: place for place, name in enumerate(classes)}
        factors = np.array([1.0 if weights is None else weights[name] for name in classes], dtype=np.float32)
        self.examples = examples
        self.labels = np.array([places[each.label] for each in examples], dtype=np.int32)
        self._weights = factors[self.labels]
        self._size = size
        self._batch_size = min(batch_size, len(examples))
        self._image = functools.cache(self._read) if cache else self._read
        self.failure: MissingDataError | None = None  # of an image that could not be read
        needed = len(examples) * size * size * 3
        if cache and needed > LARGEST_CACHE:
            raise UsageError(
                f"--cache would take {needed / 2**30:.1f} GiB for {len(examples):,} images of {size} pixels; "
                "omit it"
            )

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def steps(self) -> int:
        """Batches per shuffled epoch."""
        return len(self) // self._batch_size

    def in_order(self) -> Any:
        """A Keras dataset of all examples in order: (uint8 images, labels, weights)."""
        return self._dataset(np.arange(len(self)), self.images)

    def shuffled(self, seed: int, epoch: int, how: Augmentation = NONE) -> Any:
        """A Keras dataset of one shuffled and augmented epoch, without an incomplete last batch."""
        order = np.random.default_rng((seed % 2**63, epoch, 1)).permutation(len(self))
        images = functools.partial(self.images, draws=draw(len(self), seed, epoch), how=how)
        return self._dataset(order[: self.steps * self._batch_size], images)

    def images(
        self, places: NDArray[np.int64], draws: NDArray[np.float32] | None = None, how: Augmentation = NONE
    ) -> NDArray[np.uint8]:
        """Model inputs of the examples at `places`, augmented by the `draws` of all examples.

        Returns:
            (n, size, size, 3) uint8, RGB.
        """
        batch = np.empty((len(places), self._size, self._size, 3), np.uint8)
        for row, place in enumerate(places):
            rgb = self._image(int(place))
            batch[row] = rgb if draws is None else augmented(rgb, draws[place], how)
        return batch

    def _dataset(
        self, order: NDArray[np.int64], images: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    ) -> Any:
        feed, batches = self, np.split(order, range(self._batch_size, len(order), self._batch_size))

        class Batches(keras().utils.PyDataset):  # type: ignore[misc]
            def __len__(self) -> int:
                return len(batches)

            cardinality = __len__  # as of a tf.data.Dataset

            def __getitem__(self, number: int) -> tuple[NDArray[Any], ...]:
                places = batches[number]
                # uint8, because floats take four times the memory; the model converts them.
                return images(places), feed.labels[places], feed._weights[places]

        # One more than the cores, because a thread sometimes waits for the interpreter lock.
        return Batches(workers=usable_cores() + 1, max_queue_size=usable_cores() + 3)

    def _read(self, place: int) -> NDArray[np.uint8]:
        example = self.examples[place]
        try:
            return shown_example(example, self._size)
        except (OSError, UnreadableImageError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.failure = MissingDataError(
                f"{example.path}: {reason}. The image was readable at the start of the training. Restore it "
                "and continue with `maskgen train --resume RUN`"
            )
            raise self.failure from error


@contextmanager
def reraise_read_errors(*feeds: Feed) -> Iterator[None]:
    """Re-raise the `MissingDataError` of a feed instead of TensorFlow's wrapper."""
    try:
        yield
    except Exception as error:
        for feed in feeds:
            if feed.failure is not None:
                raise feed.failure from error
        raise
