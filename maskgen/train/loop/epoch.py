"""One epoch of training, step by step, and its validation."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from maskgen.train.data.augment import Augmentation
from maskgen.train.data.feed import Batch

SMALLEST_PROBABILITY = 1e-7


class Batches(Protocol):
    """Training or validation data: a `Feed` of images, or `FrozenFeatures`."""

    @property
    def steps(self) -> int:
        """Batches per shuffled epoch."""

    def shuffled(self, seed: int, epoch: int, how: Augmentation) -> Iterator[Batch]:
        """The batches of one shuffled and augmented epoch."""

    def in_order(self) -> Iterator[NDArray[Any]]:
        """The inputs of all examples in order."""


def train_epoch(
    model: Any, classes: int, batches: Iterable[Batch], done: Callable[[], object]
) -> dict[str, float]:
    """Train a compiled model on the batches; `done` is called after each.

    Returns:
        The mean loss and accuracy during the epoch, and the seconds in which the model waited for a batch.
    """
    one_hot, waited = np.eye(classes, dtype=np.float32), 0.0
    steps: list[tuple[float, float]] = []
    pending = iter(batches)
    while True:
        started = time.monotonic()
        batch = next(pending, None)
        waited += time.monotonic() - started
        if batch is None:
            loss, accuracy = np.mean(steps, axis=0)
            return {"loss": loss.item(), "accuracy": accuracy.item(), "feed_seconds": round(waited, 2)}
        # Versions of Keras differ in whether figures are those of a step or of all since the last reset.
        model.reset_metrics()
        figures = model.train_on_batch(
            batch.inputs, one_hot[batch.labels], sample_weight=batch.weights, return_dict=True
        )
        steps.append((float(figures["loss"]), float(figures["accuracy"])))
        done()


def predict(model: Any, batches: Iterable[NDArray[Any]]) -> NDArray[np.float32]:
    """The outputs of a model for all inputs, (n, classes) float32."""
    outputs: list[NDArray[np.float32]] = []
    full = 0
    for batch in batches:
        full = max(full, len(batch))
        # A smaller batch would be compiled anew.
        padded = np.concatenate((batch, np.repeat(batch[:1], full - len(batch), axis=0)))
        outputs.append(np.asarray(model.predict_on_batch(padded), np.float32)[: len(batch)])
    return np.concatenate(outputs)


def validation_figures(labels: NDArray[np.int32], probabilities: NDArray[np.float32]) -> dict[str, float]:
    """Loss, accuracy and area under the ROC curve of (n,) classes and their (n, classes) probabilities.

    The loss is the mean negative log-likelihood. The area is the mean of each class against the rest, of the
    classes that occur; 0.5 if there is but one.
    """
    from sklearn.metrics import roc_auc_score

    likelihoods = probabilities[np.arange(len(labels)), labels]
    areas = [
        roc_auc_score(labels == place, probabilities[:, place])
        for place in range(probabilities.shape[1])
        if 0 < (labels == place).sum() < len(labels)
    ]
    return {
        "val_loss": float(-np.log(np.maximum(likelihoods, SMALLEST_PROBABILITY)).mean()),
        "val_accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
        "val_auc": float(np.mean(areas)) if areas else 0.5,
    }
