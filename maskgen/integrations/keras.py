"""`RandomMask` for ``tf.data``, and `MaskedDataset` for any `keras.utils.PyDataset`."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from maskgen import Masker


class RandomMask:
    """Put masks on the faces of images of a ``tf.data.Dataset``.

    The dataset's elements are an image, a tuple that begins with one, or a dictionary with one under "image":
    (height, width, 3) uint8 RGB, not yet batched. Everything else passes unchanged. Use it before functions
    that change colours or geometry.

    Args:
        p: Probability of masking an image.
        seed: Seed of all random choices.
        landmarks_key: Name of the entry of a dictionary with the image's landmarks, a (468, 3) array, or its
            id in a landmark file.
        options: Further ones of `maskgen.Masker`; ``landmarks`` names a landmark file.

    Examples:
        >>> import maskgen, tensorflow
        >>> from maskgen.integrations.keras import RandomMask
        >>> images = [maskgen.read_image(sample) for sample in maskgen.open_dataset("sample", limit=1)]
        >>> dataset = tensorflow.data.Dataset.from_tensor_slices((images, [0]))
        >>> masked = RandomMask(template="surgical", p=1.0, seed=1).over(dataset)
        >>> [(image.shape, label) for image, label in masked.as_numpy_iterator()]
        [((336, 288, 3), 0)]
    """

    def __init__(
        self, *, p: float = 0.5, seed: int = 0, landmarks_key: str = "landmarks", **options: Any
    ) -> None:
        self.p = p
        self.seed = seed
        self.landmarks_key = landmarks_key
        self.masker = Masker(seed=seed, **options)

    def over(self, dataset: Any, num_parallel_calls: int | None = None) -> Any:
        """Mask a dataset, anew in each pass over it; the same seed gives the same passes.

        The order does not depend on ``num_parallel_calls``. Works for ``dataset.apply(mask.over)`` too.
        """
        import tensorflow as tf

        draws = tf.data.Dataset.random(seed=self.seed, rerandomize_each_iteration=True).batch(2)
        return tf.data.Dataset.zip(draws, dataset).map(
            lambda draw, *element: self._mask(element[0] if len(element) == 1 else element, draw),
            num_parallel_calls=num_parallel_calls,
            deterministic=True if num_parallel_calls else None,
        )

    def __call__(self, *element: Any) -> Any:
        """A function for ``dataset.map``: the pixels decide the mask, so each pass has the same ones."""
        return self._mask(element[0] if len(element) == 1 else element, None)

    def _mask(self, element: Any, draw: Any) -> Any:
        import tensorflow as tf

        landmarks = None
        if isinstance(element, Mapping):
            image, landmarks = element["image"], element.get(self.landmarks_key)
        else:
            image = element[0] if isinstance(element, tuple) else element
        given = [image, *([] if draw is None else [draw]), *([] if landmarks is None else [landmarks])]

        def mask(pixels: NDArray[Any], *more: Any) -> NDArray[Any]:
            values = list(more)
            numbers = None if draw is None else values.pop(0)
            return self._masked(pixels, numbers, values.pop(0) if values else None)

        masked = tf.numpy_function(mask, given, tf.uint8, stateful=False)
        masked.set_shape(image.shape)
        if isinstance(element, Mapping):
            return {**element, "image": masked}
        return (masked, *element[1:]) if isinstance(element, tuple) else masked

    def _masked(self, pixels: NDArray[Any], draw: Any, landmarks: Any) -> NDArray[Any]:
        if isinstance(landmarks, bytes):
            landmarks = landmarks.decode()
        # Without a draw the pixels decide: a number made of their digest.
        key = (
            sha256(np.ascontiguousarray(pixels).data).hexdigest() if draw is None else f"{draw[0]} {draw[1]}"
        )
        number = int(key[:8], 16) if draw is None else int(draw[0])
        if (number ^ self.seed & 0xFFFFFFFF) / 2**32 >= self.p:
            return pixels
        return self.masker(pixels, key=key, landmarks=landmarks).image


class MaskedDataset(keras.utils.PyDataset):  # type: ignore[misc]
    """A `keras.utils.PyDataset` with masks on the faces of another one's images, anew in each epoch.

    Args:
        dataset: Its batches are an array of images, or a tuple that begins with one: (batch, height, width,
            3) uint8 RGB.
        batch_landmarks: For each batch the landmarks of its images, or their ids in a landmark file: a
            sequence of sequences. None searches for faces.
        p: Probability of masking an image.
        seed: Seed of all random choices; with the epoch and the place of an image they decide its mask.
        options: Further ones of `maskgen.Masker`, or of `keras.utils.PyDataset`: ``workers``,
            ``use_multiprocessing``, ``max_queue_size``.
    """

    def __init__(
        self, dataset: Any, *, batch_landmarks: Any = None, p: float = 0.5, seed: int = 0, **options: Any
    ) -> None:
        names = ("workers", "use_multiprocessing", "max_queue_size")
        super().__init__(**{name: options.pop(name) for name in names if name in options})
        self.dataset = dataset
        self.batch_landmarks = batch_landmarks
        self.p = p
        self.seed = seed
        self.epoch = 0
        self.masker = Masker(seed=seed, **options)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        batch = self.dataset[index]
        images = batch[0] if isinstance(batch, tuple) else batch
        masked = np.stack([self._mask(image, index, place) for place, image in enumerate(images)])
        return (masked, *batch[1:]) if isinstance(batch, tuple) else masked

    def on_epoch_end(self) -> None:
        """Other draws for the next epoch."""
        self.epoch += 1
        self.dataset.on_epoch_end()

    def _mask(self, image: NDArray[Any], index: int, place: int) -> NDArray[Any]:
        draw = (self.seed, self.epoch, index, place)
        if np.random.default_rng(draw).random() >= self.p:
            return image
        landmarks = None if self.batch_landmarks is None else self.batch_landmarks[index][place]
        return self.masker(image, key=" ".join(map(str, draw[1:])), landmarks=landmarks).image
