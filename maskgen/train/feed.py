"""The input pipeline: from files to batches, decoding in parallel and holding no more than a few batches.

An epoch's order is a permutation of the whole list, drawn from the seed and the epoch: a perfect shuffle that
needs no buffer, and that a resumed run draws again. A plain JPEG is decoded by tensorflow with the accurate
inverse transform, which gives Pillow's bytes; anything else goes through `maskgen.images`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import UsageError
from maskgen.train.augment import Augmentation, augmented, draw
from maskgen.train.crops import resized
from maskgen.train.examples import Example
from maskgen.train.pictures import read_rgb
from maskgen.train.runtime import tensorflow

LARGEST_CACHE = 4 * 2**30  # bytes


class Feed:
    """Batches of a list of examples.

    Args:
        examples: In the order that `in_order` keeps.
        classes: Labels; an example's class is its label's place among them.
        size: Side of the pictures the model takes.
        batch_size: Pictures in a batch.
        weights: Label -> weight in the loss; 1 for each by default.
        cache: Keep the decoded pictures in memory; refused where they would take more than 4 GiB.
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
        tf = tensorflow()
        self.examples = examples
        self.labels = np.array([classes.index(each.label) for each in examples], dtype=np.int32)
        self._size = size
        self._batch_size = min(batch_size, len(examples))
        factors = np.array([1.0 if weights is None else weights[name] for name in classes], dtype=np.float32)
        # Tensors, which a dataset's functions hold by reference: no epoch copies them.
        self._paths = tf.constant([os.fsencode(each.path) for each in examples])
        self._regions = tf.constant([each.region for each in examples], tf.int32)
        self._plain = tf.constant([each.plain for each in examples])
        self._all_plain = all(each.plain for each in examples)
        self._labels = tf.constant(self.labels)
        self._weights = tf.constant(factors[self.labels])
        # Nothing here branches on a tensor in Python, and what tensorflow rewrites it also complains about.
        self._map = tf.autograph.experimental.do_not_convert(self._picture)
        self._pixels: Any = None
        self._pixels = self._decoded() if cache else None

    def __len__(self) -> int:
        return len(self.examples)

    def in_order(self) -> Any:
        """All examples once, as (images, labels, weights) for Keras."""
        return self._dataset(np.arange(len(self)), drop_remainder=False)

    def shuffled(self, seed: int, epoch: int, how: Augmentation | None = None) -> Any:
        """One epoch in its own order, augmented by `how`, without a last batch that is too small."""
        order = np.random.default_rng((seed % 2**63, epoch, 1)).permutation(len(self))
        draws = draw(len(self), seed, epoch) if how is not None else None
        return self._dataset(order, drop_remainder=True, draws=draws, how=how)

    def pictures(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Some pictures as they are fed without augmentation: (n, size, size, 3) uint8, RGB."""
        return np.stack([self._picture(int(place))[0].numpy() for place in places])

    def _dataset(
        self,
        order: NDArray[np.int64],
        *,
        drop_remainder: bool,
        draws: NDArray[np.float32] | None = None,
        how: Augmentation | None = None,
    ) -> Any:
        tf = tensorflow()
        dataset = tf.data.Dataset.from_tensor_slices(order)
        options = tf.data.Options()
        options.deterministic = True
        dataset = dataset.with_options(options)
        dataset = dataset.map(self._map, num_parallel_calls=tf.data.AUTOTUNE)
        dataset = dataset.batch(self._batch_size, drop_remainder=drop_remainder)
        all_draws = tf.constant(draws) if draws is not None else None

        def finished(images: Any, places: Any) -> Any:
            images = tf.cast(images, tf.float32)
            if how is not None:
                images = augmented(images, tf.gather(all_draws, places), how)
            return images, tf.gather(self._labels, places), tf.gather(self._weights, places)

        finished = tf.autograph.experimental.do_not_convert(finished)
        return dataset.map(finished, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    def _picture(self, place: Any) -> Any:
        tf = tensorflow()
        if self._pixels is not None:
            return tf.gather(self._pixels, place), place
        path, region = self._paths[place], self._regions[place]
        if self._all_plain:
            image = self._from_jpeg(path, region)
        else:
            image = tf.cond(
                self._plain[place],
                lambda: self._from_jpeg(path, region),
                lambda: tf.numpy_function(self._from_any, [path, region], tf.uint8),
            )
        return tf.ensure_shape(image, (self._size, self._size, 3)), place

    def _from_jpeg(self, path: Any, region: Any) -> Any:
        tf = tensorflow()
        x, y, width, height = tf.unstack(region)
        data = tf.io.read_file(path)
        # The whole picture, and not only the region: libjpeg's smoothing of colours looks across its edge.
        image = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
        image = image[y : y + height, x : x + width]

        def scaled() -> Any:
            floats = tf.image.resize(image, (self._size, self._size), antialias=True)
            return tf.cast(tf.clip_by_value(tf.round(floats), 0.0, 255.0), tf.uint8)

        fits = tf.logical_and(tf.equal(width, self._size), tf.equal(height, self._size))
        return tf.cond(fits, lambda: image, scaled)

    def _from_any(self, path: bytes, region: NDArray[np.int32]) -> NDArray[np.uint8]:
        x, y, width, height = (int(value) for value in region)
        return resized(read_rgb(Path(os.fsdecode(path))), (x, y, width, height), self._size)

    def _decoded(self) -> Any:
        tf = tensorflow()
        needed = len(self) * self._size * self._size * 3
        if needed > LARGEST_CACHE:
            raise UsageError(
                f"--cache would take {needed / 2**30:.1f} GiB for {len(self):,} pictures of {self._size} "
                "pixels; leave it out"
            )
        pixels = np.empty((len(self), self._size, self._size, 3), np.uint8)
        dataset = tf.data.Dataset.range(len(self)).map(self._map, num_parallel_calls=tf.data.AUTOTUNE)
        for image, place in dataset.prefetch(64).as_numpy_iterator():
            pixels[place] = image
        return tf.constant(pixels)
