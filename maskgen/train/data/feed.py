"""The input pipeline of the training: from files to batches, decoded in parallel threads.

The order of an epoch is a permutation of the whole list, drawn from the seed and the epoch. It is a full
shuffle without a buffer, and a resumed run repeats it. OpenCV decodes in a thread pool, because it releases
the interpreter lock; the next batches are started ahead of use. TensorFlow's decoding and resizing would take
three times the CPU, and prediction does not have TensorFlow and needs the same pixels.
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
# Batches read ahead of the one in use.
AHEAD = 2
# Alignment of a batch in bytes: a multiple of the alignment that TensorFlow requires.
_ALIGNED = 64


@dataclass(frozen=True)
class _PendingBatch:
    """A batch that the threads are filling.

    Attributes:
        pixels: (n, size, size, 3) uint8.
        parts: The tasks that fill it.
    """

    pixels: NDArray[np.uint8]
    parts: list[Future[None]]

    def result(self) -> NDArray[np.uint8]:
        """Wait for the batch; re-raises the exception of a thread."""
        for part in self.parts:
            part.result()
        return self.pixels


class _ReadAhead:
    """The batches of one epoch, started ahead of use; each can be read any number of times.

    Args:
        start: Starts the batch of a given number.
        count: Number of batches.
    """

    def __init__(self, start: Callable[[int], _PendingBatch], count: int) -> None:
        self._start = start
        self._count = count
        self._pending: dict[int, _PendingBatch] = {}
        self._lock = threading.Lock()
        self._start_from(0)

    def batch(self, number: int) -> NDArray[np.uint8]:
        """The batch of that number; starts the next ones."""
        with self._lock:
            self._start_from(number)
            pending = self._pending.pop(number)
        return pending.result()

    def _start_from(self, number: int) -> None:
        for each in range(number, min(number + AHEAD + 1, self._count)):
            if each not in self._pending:
                self._pending[each] = self._start(each)


class Feed:
    """Batches of a list of examples.

    Args:
        examples: The examples; `in_order` keeps their order.
        classes: The labels; the class of an example is the index of its label.
        size: Side of the model's input images.
        batch_size: Images per batch.
        weights: Label -> weight in the loss; 1 for each by default.
        cache: Keep the decoded images in memory, up to 4 GiB.

    Attributes:
        failure: The exception of an image that could not be read, or None; see `reraise_read_errors`.
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
        # One more than the cores, because a thread sometimes waits for the interpreter lock.
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
        """Batches per shuffled epoch."""
        return len(self) // self._batch_size

    def in_order(self) -> Any:
        """A dataset of all examples in order: (uint8 images, labels, weights)."""
        return self._dataset(np.arange(len(self)), False, None, None)

    def shuffled(self, seed: int, epoch: int, how: Augmentation | None = None) -> Any:
        """A dataset of one shuffled and augmented epoch, without an incomplete last batch."""
        order = np.random.default_rng((seed % 2**63, epoch, 1)).permutation(len(self))
        draws = draw(len(self), seed, epoch) if how is not None else None
        return self._dataset(order, True, draws, how)

    def images(
        self,
        places: NDArray[np.int64],
        draws: NDArray[np.float32] | None = None,
        how: Augmentation | None = None,
    ) -> NDArray[np.uint8]:
        """Model inputs of some examples: (n, size, size, 3) uint8, RGB.

        Args:
            places: Indices of the examples.
            draws: Random numbers of all examples, from `maskgen.train.data.augment.draw`; only with `how`.
            how: The augmentation, or None.
        """
        return self._start(places, draws, how).result()

    def _start(
        self, places: NDArray[np.int64], draws: NDArray[np.float32] | None, how: Augmentation | None
    ) -> _PendingBatch:
        batch = _aligned((len(places), self._size, self._size, 3))

        def fill(first: int) -> None:
            # One task per thread: the overhead of a task per image is a tenth of its work.
            for row in range(first, len(places), self._workers):
                place = int(places[row])
                self._fill(place, batch[row])
                if draws is not None and how is not None:
                    batch[row] = augmented(batch[row], draws[place], how)

        return _PendingBatch(batch, [self._threads.submit(fill, first) for first in range(self._workers)])

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
                f"{example.path}: {reason}. The image was readable at the start of the training. Restore it "
                "and continue with `maskgen train --resume RUN`"
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

        batches = _ReadAhead(lambda number: self._start(places_of(number), draws, how), steps)

        def read(number: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
            places = places_of(int(number))
            try:
                return batches.batch(int(number)), self.labels[places], self._weights[places]
            except MissingDataError as error:
                self.failure = error
                raise

        def batch(number: Any) -> Any:
            images, labels, weights = tf.numpy_function(
                read, [number], (tf.uint8, tf.int32, tf.float32), stateful=False
            )
            # uint8, because floats take four times the memory; the model converts them.
            images.set_shape(shape)
            labels.set_shape(shape[:1])
            weights.set_shape(shape[:1])
            return images, labels, weights

        dataset = tf.data.Dataset.range(steps).map(tf.autograph.experimental.do_not_convert(batch))
        options = tf.data.Options()
        # There is nothing to tune, and the end of an epoch would wait for the tuner: up to as long as the
        # epoch took.
        options.autotune.enabled = False
        # The graph needs no rewriting, which would run twice an epoch.
        options.experimental_optimization.apply_default_optimizations = False
        return dataset.prefetch(1).with_options(options)

    def _all_pixels(self) -> NDArray[np.uint8]:
        needed = len(self) * self._size * self._size * 3
        if needed > LARGEST_CACHE:
            raise UsageError(
                f"--cache would take {needed / 2**30:.1f} GiB for {len(self):,} images of {self._size} "
                "pixels; omit it"
            )
        return self.images(np.arange(len(self)))


@contextmanager
def reraise_read_errors(*feeds: Feed) -> Iterator[None]:
    """Re-raise the feed's own exception instead of TensorFlow's wrapper.

    Raises:
        MissingDataError: An image was removed or replaced.
    """
    try:
        yield
    except Exception as error:
        failures = [feed.failure for feed in feeds if feed.failure is not None]
        if not failures:
            raise
        raise failures[0] from error


def _aligned(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An uninitialised array aligned for TensorFlow, which copies unaligned arrays."""
    count = math.prod(shape)
    memory = np.empty(count + _ALIGNED, np.uint8)
    first = -memory.ctypes.data % _ALIGNED
    return memory[first : first + count].reshape(shape)
