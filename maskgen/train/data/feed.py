"""The input pipeline of the training: from files to batches, which threads read ahead.

The order of an epoch is a permutation of the whole list, drawn from the seed and the epoch. It is a full
shuffle without a buffer, and a resumed run repeats it. Images are decoded as in prediction, by OpenCV, which
releases the interpreter lock. Nothing here depends on the backend of Keras.
"""

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import MissingDataError, UnreadableImageError
from maskgen.process import usable_cores
from maskgen.train.data.augment import MASK, NONE, Augmentation, augmented, draw
from maskgen.train.data.decoded import Decoded
from maskgen.train.data.examples import Example
from maskgen.train.data.fresh_masks import FreshMasks
from maskgen.train.data.model_input import shown_example

Given = TypeVar("Given")
Found = TypeVar("Found")
ReadImage = Callable[[int], NDArray[np.uint8]]  # from the place of an example to its model input
ShowExample = Callable[[Example, int], NDArray[np.uint8]]  # from an example and the input's size


class Batch(NamedTuple):
    """n examples for one step of training."""

    inputs: NDArray[Any]  # (n, size, size, 3) uint8 RGB, or (n, features) float16
    labels: NDArray[np.int32]  # (n,) indices of classes
    weights: NDArray[np.float32]  # (n,) weights in the loss


class Feed:
    """Batches of a list of examples, as images with a side of `size` pixels.

    The class of an example is the index of its label in `classes`. `weights` are label -> weight in the loss,
    by default 1. `decoded` keeps the decoded images of earlier epochs, `masks` masks those of `shuffled`.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        classes: Sequence[str],
        size: int,
        batch_size: int,
        weights: Mapping[str, float] | None = None,
        decoded: Decoded | None = None,
        masks: FreshMasks | None = None,
    ) -> None:
        places = {name: place for place, name in enumerate(classes)}
        factors = np.array([1.0 if weights is None else weights[name] for name in classes], dtype=np.float32)
        self.examples = examples
        self.labels = np.array([places[each.label] for each in examples], dtype=np.int32)
        self.weights = factors[self.labels]
        self.size = size
        self.batch_size = min(batch_size, len(examples))
        self._decoded = decoded
        self._masks = masks

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def steps(self) -> int:
        """Batches per shuffled epoch."""
        return len(self) // self.batch_size

    def order(self, seed: int, epoch: int) -> list[NDArray[np.int64]]:
        """The examples of each batch of a shuffled epoch, without an incomplete last batch."""
        order = np.random.default_rng((seed % 2**63, epoch, 1)).permutation(len(self))
        return np.split(order[: self.steps * self.batch_size], self.steps)

    def shuffled(self, seed: int, epoch: int, how: Augmentation = NONE) -> Iterator[Batch]:
        """The batches of one shuffled and augmented epoch."""
        image = self.varied(seed, epoch, how)
        return read_ahead(
            lambda places: Batch(self._stacked(places, image), self.labels[places], self.weights[places]),
            self.order(seed, epoch),
        )

    def in_order(self, image: ReadImage | None = None) -> Iterator[NDArray[np.uint8]]:
        """The images of all examples in order, in batches; the last one can be smaller.

        They are read by `image`, by default as they are.
        """
        places = np.arange(len(self))
        batches = np.split(places, range(self.batch_size, len(self), self.batch_size))
        return read_ahead(lambda part: self._stacked(part, image or self.image), batches)

    def varied(self, seed: int, epoch: int, how: Augmentation) -> ReadImage:
        """The function that reads the images of an epoch, with its masks and augmentation."""
        draws = draw(len(self), seed, epoch)

        def image(place: int) -> NDArray[np.uint8]:
            if self._masks is None or draws[place][MASK] >= self._masks.share:
                return augmented(self.image(place), draws[place], how)
            masked = self._read(place, functools.partial(self._masks.image, epoch=epoch))
            return augmented(masked, draws[place], how)

        return image

    def image(self, place: int) -> NDArray[np.uint8]:
        """The image of an example as it is, (size, size, 3) uint8 RGB."""
        return self._read(place) if self._decoded is None else self._decoded.image(place, self._read)

    def _stacked(self, places: NDArray[np.int64], image: ReadImage) -> NDArray[np.uint8]:
        # uint8, because floats take four times the memory; the model converts them.
        batch = np.empty((len(places), self.size, self.size, 3), np.uint8)
        for row, place in enumerate(places):
            batch[row] = image(int(place))
        return batch

    def _read(self, place: int, show: ShowExample = shown_example) -> NDArray[np.uint8]:
        example = self.examples[place]
        try:
            return show(example, self.size)
        except (OSError, UnreadableImageError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise MissingDataError(
                f"{example.path}: {reason}. The image was readable at the start of the training. Restore it "
                "and continue with `maskgen train --resume RUN`"
            ) from error


def read_ahead(function: Callable[[Given], Found], given: Iterable[Given]) -> Iterator[Found]:
    """The results of a function, in order; threads compute the next ones before they are asked for."""
    # One more than the cores, because a thread sometimes waits for the interpreter lock.
    threads = usable_cores() + 1
    pending: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for each in given:
                pending.append(pool.submit(function, each))
                if len(pending) > threads + 2:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for waiting in pending:
                waiting.cancel()
