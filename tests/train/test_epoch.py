"""An epoch's figures are the means of its steps, and validation is that of all examples."""

import math

import numpy as np
import pytest
from train_data import needs_train

from maskgen.keras_runtime import keras
from maskgen.train.data.feed import Batch
from maskgen.train.loop.epoch import predict, train_epoch, validation_figures

pytestmark = needs_train


def constant(*logits):
    """A model that says the same of everything, and does not learn."""
    k = keras()
    inputs = k.Input((1,))
    classes = k.layers.Dense(len(logits), activation="softmax")
    model = k.Model(inputs, classes(inputs))
    classes.set_weights([np.zeros((1, len(logits))), np.array(logits)])
    model.compile(k.optimizers.SGD(0.0), "categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def test_loss_and_accuracy_are_the_means_of_all_steps():
    labels = [np.array([0, 0]), np.array([0, 1]), np.array([1, 1]), np.array([1, 1])]
    batches = [Batch(np.zeros((2, 1)), own.astype(np.int32), np.ones(2, np.float32)) for own in labels]
    steps = []
    figures = train_epoch(constant(math.log(4), 0.0), 2, batches, lambda: steps.append(1))
    assert len(steps) == 4
    assert figures["accuracy"] == pytest.approx(3 / 8)
    assert figures["loss"] == pytest.approx(-(3 * math.log(0.8) + 5 * math.log(0.2)) / 8, rel=1e-4)


def test_weights_scale_the_loss():
    batch = Batch(np.zeros((2, 1)), np.array([0, 1], np.int32), np.array([2.0, 0.0], np.float32))
    figures = train_epoch(constant(0.0, 0.0), 2, [batch], lambda: None)
    assert figures["loss"] == pytest.approx(math.log(2), rel=1e-4)


def test_predictions_are_of_all_examples_also_of_an_incomplete_batch():
    model = constant(math.log(3), 0.0)
    found = predict(model, [np.zeros((4, 1)), np.zeros((4, 1)), np.zeros((1, 1))])
    assert found == pytest.approx(np.tile((0.75, 0.25), (9, 1)), abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "second", "loss", "accuracy", "auc"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], -np.log([0.9, 0.8, 0.8, 0.9]).mean(), 1.0, 1.0),
        ([0, 0, 1, 1], [0.9, 0.2, 0.8, 0.1], -np.log([0.1, 0.8, 0.8, 0.1]).mean(), 0.5, 0.25),
        ([1, 1], [0.9, 0.2], -np.log([0.9, 0.2]).mean(), 0.5, 0.5),
        ([1], [0.0], -math.log(1e-7), 0.0, 0.5),
    ],
)
def test_validation(labels, second, loss, accuracy, auc):
    second = np.array(second, np.float32)
    figures = validation_figures(np.array(labels, np.int32), np.stack((1 - second, second), axis=1))
    assert figures["val_loss"] == pytest.approx(loss, rel=1e-4)
    assert (figures["val_accuracy"], figures["val_auc"]) == pytest.approx((accuracy, auc))
