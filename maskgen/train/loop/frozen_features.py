"""Phase 1 without images: the frozen backbone computes its features once, and the head learns from them.

Each epoch takes one of a few differently augmented copies of the training set, so that an epoch costs almost
nothing once they exist.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.files.atomic import open_atomic
from maskgen.train.data.augment import NONE, Augmentation
from maskgen.train.data.feed import Batch, Feed, ReadImage


class FrozenFeatures:
    """The batches of a feed as features of a backbone, a Keras model from images to (n, features).

    Each copy is a file ``features-NAME-COPY.npy`` of (examples, features) float16 in `folder`. It is computed
    when it is first needed; a resumed run reads it again.
    """

    def __init__(self, feed: Feed, backbone: Any, folder: Path, name: str, copies: int) -> None:
        self._feed = feed
        self._backbone = backbone
        self._folder = folder
        self._name = name
        self._copies = copies

    @property
    def labels(self) -> NDArray[np.int32]:
        """(examples,) indices of classes."""
        return self._feed.labels

    @property
    def steps(self) -> int:
        """Batches per shuffled epoch."""
        return self._feed.steps

    @property
    def batch_size(self) -> int:
        """Examples in a batch."""
        return self._feed.batch_size

    def shuffled(self, seed: int, epoch: int, how: Augmentation = NONE) -> Iterator[Batch]:
        """The batches of one shuffled epoch, of the copy for this epoch."""
        feed, features = self._feed, self._varied_copy(seed, epoch % self._copies, how)
        for places in feed.order(seed, epoch):
            yield Batch(features[places], feed.labels[places], feed.weights[places])

    def in_order(self) -> Iterator[NDArray[np.float16]]:
        """The features of all examples in order, in batches; the last one can be smaller."""
        features = self._features("as-is", None)
        yield from np.split(features, range(self.batch_size, len(features), self.batch_size))

    def _varied_copy(self, seed: int, number: int, how: Augmentation) -> NDArray[np.float16]:
        return self._features(str(number), self._feed.varied(seed, number, how))

    def _features(self, copy: str, image: ReadImage | None) -> NDArray[np.float16]:
        path = self._folder / f"features-{self._name}-{copy}.npy"
        if not path.is_file():
            batches = self._feed.in_order(image)
            parts = [np.asarray(self._backbone.predict_on_batch(batch), np.float16) for batch in batches]
            with open_atomic(path) as file:
                np.save(file, np.concatenate(parts))
        return np.asarray(np.load(path, mmap_mode="r"))
