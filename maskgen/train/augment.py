"""Augmentation of training batches: every draw is made beforehand, per example, and applied here.

The draws come from (seed, epoch, the example's place in the list) alone, so that neither the number of
threads nor a resumed run changes a picture. Validation and test pictures never come here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.train.runtime import tensorflow

GREY = 127.5

# Columns of the draws.
FLIP, SHIFT_X, SHIFT_Y, ROTATION, CONTRAST, ERASE, ERASE_X, ERASE_Y, ERASE_AREA, ERASE_ASPECT = range(10)
DRAWS = 10


@dataclass(frozen=True)
class Augmentation:
    """How much the training's pictures are varied; zero leaves a part out.

    Attributes:
        flip: Share of the pictures that are mirrored.
        shift: How far a picture is moved at most, in its sides, each way.
        rotation: How far it is turned at most, in degrees, each way.
        contrast: By how much its contrast is changed at most: 0.2 is from 0.8 to 1.2 times.
        erasing: Share of the pictures that get a grey rectangle.
    """

    flip: float = 0.5
    shift: float = 0.08
    rotation: float = 12.0
    contrast: float = 0.2
    erasing: float = 0.25


NONE = Augmentation(0, 0, 0, 0, 0)


def draw(count: int, seed: int, epoch: int) -> NDArray[np.float32]:
    """The draws of one epoch for every example.

    Returns:
        (count, DRAWS) numbers from 0 to 1.
    """
    return np.random.default_rng((seed % 2**63, epoch)).random((count, DRAWS), dtype=np.float32)


def augmented(images: Any, draws: Any, how: Augmentation) -> Any:
    """Apply the draws to a batch.

    Args:
        images: (batch, side, side, 3) float32 tensor, 0 to 255.
        draws: (batch, DRAWS) float32 tensor, from `draw`.
        how: The strengths.

    Returns:
        A tensor like `images`.
    """
    tf = tensorflow()
    if how.flip or how.shift or how.rotation:
        images = _moved(tf, images, draws, how)
    if how.contrast:
        factor = 1 + how.contrast * (2 * draws[:, CONTRAST] - 1)
        mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
        images = tf.clip_by_value((images - mean) * factor[:, None, None, None] + mean, 0.0, 255.0)
    return _erased(tf, images, draws, how) if how.erasing else images


def _moved(tf: Any, images: Any, draws: Any, how: Augmentation) -> Any:
    """Flip, turn and shift in one resampling; what comes in from outside repeats the edge."""
    side = tf.cast(tf.shape(images)[1], tf.float32)
    middle = (side - 1) / 2
    angle = (2 * draws[:, ROTATION] - 1) * how.rotation * np.pi / 180
    mirror = tf.where(draws[:, FLIP] < how.flip, -1.0, 1.0)
    shift_x = (2 * draws[:, SHIFT_X] - 1) * how.shift * side
    shift_y = (2 * draws[:, SHIFT_Y] - 1) * how.shift * side
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # From a point of the result to the point of the picture it is taken from.
    a, b = mirror * cosine, -mirror * sine
    d, e = sine, cosine
    c = middle + shift_x - a * middle - b * middle
    f = middle + shift_y - d * middle - e * middle
    zero = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _erased(tf: Any, images: Any, draws: Any, how: Augmentation) -> Any:
    """Random erasing: a grey rectangle of 2 to 20 % of the picture, at most twice as long as wide."""
    side = tf.cast(tf.shape(images)[1], tf.float32)
    area = (0.02 + 0.18 * draws[:, ERASE_AREA]) * side * side
    aspect = tf.exp((2 * draws[:, ERASE_ASPECT] - 1) * np.log(2.0))
    width, height = tf.sqrt(area * aspect), tf.sqrt(area / aspect)
    left, top = draws[:, ERASE_X] * (side - width), draws[:, ERASE_Y] * (side - height)
    along = tf.range(side)[None, :]
    columns = (along >= left[:, None]) & (along < (left + width)[:, None])
    rows = (along >= top[:, None]) & (along < (top + height)[:, None])
    chosen = (draws[:, ERASE] < how.erasing)[:, None, None]
    inside = rows[:, :, None] & columns[:, None, :] & chosen
    return tf.where(inside[..., None], GREY, images)
