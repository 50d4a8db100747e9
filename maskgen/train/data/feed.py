"""The input pipeline: from files to batches, decoding in parallel and holding no more than a few batches.

An epoch's order is a permutation of the whole list, drawn from the seed and the epoch: a perfect shuffle
that needs no buffer, and that a resumed run draws again. Batches are read by a pool of threads through
OpenCV, which lets go of the interpreter; the next ones are begun before they are asked for, so that no thread
waits for another. Tensorflow's own decoding and antialiased resizing take three times the CPU (5.2 ms for a
face of 250 pixels), and prediction, which has no tensorflow, could not show the same pixels.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import MissingDataError, UnreadableImageError, UsageError
from maskgen.keras_runtime import tensorflow
from maskgen.process import usable_cores
from maskgen.train.data.augment import Augmentation, augmented, draw
from maskgen.train.data.examples import Example
from maskgen.train.data.pictures import shown_file

LARGEST_CACHE = 4 * 2**30  # bytes
# Batches that are read ahead, besides the one in use.
AHEAD = 2
# Bytes: a multiple of what tensorflow's loops ask of where a tensor begins.
_ALIGNED = 64


@dataclass(frozen=True)
class _Begun:
    """A batch that threads are at work on.

    Attributes:
        pixels: (n, size, size, 3) uint8, which they fill.
        parts: What each of them has to do of it.
    """

    pixels: NDArray[np.uint8]
    parts: list[Future[None]]

    def done(self) -> NDArray[np.uint8]:
        """The batch, once it is there; raises what a thread raised."""
        for part in self.parts:
            part.result()
        return self.pixels


class _Ahead:
    """Batches of one epoch, begun before they are asked for.

    However often and from wherever the epoch is gone through, each batch is the same.

    Args:
        begin: Begins the batch of that number.
        count: How many there are.
    """

    def __init__(self, begin: Callable[[int], _Begun], count: int) -> None:
        self._begin = begin
        self._count = count
        self._begun: dict[int, _Begun] = {}
        self._lock = threading.Lock()
        self._begin_from(0)

    def batch(self, number: int) -> NDArray[np.uint8]:
        """The batch of that number; those after it are begun."""
        with self._lock:
            self._begin_from(number)
            begun = self._begun.pop(number)
        return begun.done()

    def _begin_from(self, number: int) -> None:
        for each in range(number, min(number + AHEAD + 1, self._count)):
            if each not in self._begun:
                self._begun[each] = self._begin(each)


class Feed:
    """Batches of a list of examples.

    Args:
        examples: In the order that `in_order` keeps.
        classes: Labels; an example's class is its label's place among them.
        size: Side of the images the model takes.
        batch_size: Images in a batch.
        weights: Label -> weight in the loss; 1 for each by default.
        cache: Keep the decoded images in memory; refused where they would take more than 4 GiB.

    Attributes:
        failure: What kept the feed from reading an image, or None; see `told`.
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
        # One more than there are processors, for the moments in which one waits for the interpreter.
        self._workers = usable_cores() + 1
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="decode")
        self._pixels: NDArray[np.uint8] | None = None
        self.failure: MissingDataError | None = None
        if cache:
            self._pixels = self._all_pixels()

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def steps(self) -> int:
        """Batches of a shuffled epoch."""
        return len(self) // self._batch_size

    def in_order(self) -> Any:
        """All examples once, as (uint8 images, labels, weights) for Keras."""
        return self._dataset(np.arange(len(self)), False, None, None)

    def shuffled(self, seed: int, epoch: int, how: Augmentation | None = None) -> Any:
        """One epoch in its own order, augmented by `how`, without a last batch that is not full."""
        order = np.random.default_rng((seed % 2**63, epoch, 1)).permutation(len(self))
        draws = draw(len(self), seed, epoch) if how is not None else None
        return self._dataset(order, True, draws, how)

    def pictures(
        self,
        places: NDArray[np.int64],
        draws: NDArray[np.float32] | None = None,
        how: Augmentation | None = None,
    ) -> NDArray[np.uint8]:
        """Some of the images as the model is shown them: (n, size, size, 3) uint8, RGB.

        Args:
            places: Which ones.
            draws: Of every example, by `maskgen.train.data.augment.draw`; with `how` only.
            how: The augmentation, or None.
        """
        return self._begin(places, draws, how).done()

    def _begin(
        self, places: NDArray[np.int64], draws: NDArray[np.float32] | None, how: Augmentation | None
    ) -> _Begun:
        batch = _aligned((len(places), self._size, self._size, 3))

        def fill(first: int) -> None:
            # A task for each image would cost a tenth of what it does.
            for row in range(first, len(places), self._workers):
                place = int(places[row])
                self._fill(place, batch[row])
                if draws is not None and how is not None:
                    batch[row] = augmented(batch[row], draws[place], how)

        return _Begun(batch, [self._threads.submit(fill, first) for first in range(self._workers)])

    def _fill(self, place: int, out: NDArray[np.uint8]) -> None:
        if self._pixels is not None:
            out[:] = self._pixels[place]
            return
        example = self.examples[place]
        try:
            shown_file(example.path, example.member, example.region, self._size, example.plain, out)
        except (OSError, UnreadableImageError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise MissingDataError(
                f"{example.path}: {reason}; it could be read before the training began. Put it back, and "
                "`maskgen train --resume RUN` goes on"
            ) from error

    def _dataset(
        self,
        order: NDArray[np.int64],
        drop_remainder: bool,
        draws: NDArray[np.float32] | None,
        how: Augmentation | None,
    ) -> Any:
        tf = tensorflow()
        count, rest = divmod(len(order), self._batch_size)
        steps = count if drop_remainder else count + (rest > 0)
        shape = (self._batch_size if drop_remainder else None, self._size, self._size, 3)

        def places_of(number: int) -> NDArray[np.int64]:
            return order[number * self._batch_size : (number + 1) * self._batch_size]

        ahead = _Ahead(lambda number: self._begin(places_of(number), draws, how), steps)

        def read(number: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
            places = places_of(int(number))
            try:
                return ahead.batch(int(number)), self.labels[places], self._weights[places]
            except MissingDataError as error:
                self.failure = error
                raise

        def batch(number: Any) -> Any:
            images, labels, weights = tf.numpy_function(
                read, [number], (tf.uint8, tf.int32, tf.float32), stateful=False
            )
            # Bytes: the model makes floats of them, which take four times the memory.
            images.set_shape(shape)
            labels.set_shape(shape[:1])
            weights.set_shape(shape[:1])
            return images, labels, weights

        dataset = tf.data.Dataset.range(steps).map(tf.autograph.experimental.do_not_convert(batch))
        options = tf.data.Options()
        # There is nothing to tune, and the end of an epoch would wait until the tuner looks up: up to as long
        # as the epoch took.
        options.autotune.enabled = False
        # And nothing to rewrite, which would be done twice an epoch.
        options.experimental_optimization.apply_default_optimizations = False
        return dataset.prefetch(1).with_options(options)

    def _all_pixels(self) -> NDArray[np.uint8]:
        needed = len(self) * self._size * self._size * 3
        if needed > LARGEST_CACHE:
            raise UsageError(
                f"--cache would take {needed / 2**30:.1f} GiB for {len(self):,} images of {self._size} "
                "pixels; leave it out"
            )
        return self.pictures(np.arange(len(self)))


@contextmanager
def told(*feeds: Feed) -> Iterator[None]:
    """Raise what kept a feed from reading, where tensorflow raises an error of its own around its text.

    Raises:
        MissingDataError: An image is not there any more, or has become another.
    """
    try:
        yield
    except Exception as error:
        failures = [feed.failure for feed in feeds if feed.failure is not None]
        if not failures:
            raise
        raise failures[0] from error


def _aligned(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An array without values that tensorflow takes as it is; it copies what begins elsewhere."""
    count = math.prod(shape)
    memory = np.empty(count + _ALIGNED, np.uint8)
    first = -memory.ctypes.data % _ALIGNED
    return memory[first : first + count].reshape(shape)
