"""Learning rates by step and by block, averaged weights, and optimizers on disk."""

import numpy as np
import pytest
from train_data import needs_train

from maskgen.errors import ConfigurationError
from maskgen.keras_runtime import keras
from maskgen.train.loop.checkpoint import restore_optimizer, save_optimizer
from maskgen.train.model.build import block_shares, build_model, renew_batch_norm, split_head
from maskgen.train.model.optimizer import (
    OPTIMIZERS,
    averaged,
    learning_rates,
    new_optimizer,
    plateau_factor,
)

pytestmark = needs_train


@pytest.mark.parametrize(
    ("schedule", "warm_up", "rates"),
    [
        ("constant", 0, [1, 1, 1, 1, 1]),
        ("cosine", 0, [1, 0.9045, 0.6545, 0.3455, 0.0955]),
        ("step", 0, [1, 1, 1, 0.1, 0.1]),
        ("plateau", 0, [1, 1, 1, 1, 1]),
        ("constant", 2, [1 / 3, 2 / 3, 1, 1, 1]),
        ("cosine", 1, [0.5, 1, 0.8536, 0.5, 0.1464]),
    ],
)
def test_schedules(schedule, warm_up, rates):
    assert learning_rates(1.0, schedule, 5, 1, warm_up) == pytest.approx(rates, abs=1e-4)


def test_the_rates_of_a_phase_are_one_for_each_step():
    rates = learning_rates(0.1, "cosine", 4, 25, warm_up=1.0)
    assert rates.shape == (100,) and rates.argmax() in (24, 25) and rates[-1] < 1e-3


@pytest.mark.parametrize(
    ("waits", "patience", "factor"),
    [([], 4, 1), ([0, 1], 4, 1), ([0, 1, 2], 4, 0.5), ([0, 1, 2, 3, 4], 4, 0.25), ([0, 1, 2, 3], 0, 0.5)],
)
def test_a_plateau_halves_the_rate(waits, patience, factor):
    assert plateau_factor(waits, patience) == factor


def test_blocks_before_the_last_take_smaller_steps():
    shares = block_shares(build_model("tiny-cnn", 2, size=32, weights="none"), "tiny-cnn", 0.5)
    assert {name: shares[f"{name}_conv"] for name in ("block1", "block2", "block3", "block4")} == {
        **{"block1": 0.125, "block2": 0.25, "block3": 0.5, "block4": 1.0},
    }
    assert "classes" not in shares


def learner(name, rates=(0.1,), shares=None, **settings):
    """Two layers of which each weight has the gradient 1 at every step."""
    k = keras()
    k.utils.set_random_seed(1)
    inputs = k.Input((1,))
    model = k.Model(inputs, k.layers.Dense(1, name="late")(k.layers.Dense(1, name="early")(inputs)))
    optimizer = new_optimizer(name, np.array(rates, np.float32), shares or {}, **settings)
    model.compile(optimizer, "mean_absolute_error", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def step(model, target=-100.0):
    before = {layer.name: layer.get_weights()[-1].item() for layer in model.layers[1:]}
    model.train_on_batch(np.zeros((4, 1), np.float32), np.full((4, 1), target, np.float32))
    return {layer.name: layer.get_weights()[-1].item() - before[layer.name] for layer in model.layers[1:]}


def test_a_layers_share_scales_its_steps_and_the_table_all_of_them():
    model = learner("adam", rates=(0.1, 0.01), shares={"early": 0.25})
    first, second = step(model), step(model)
    assert abs(first["late"]) == pytest.approx(0.1, rel=0.01)
    assert abs(first["early"]) == pytest.approx(0.025, rel=0.01)
    assert abs(second["late"]) == pytest.approx(0.01, rel=0.01)
    assert abs(step(model)["late"]) == pytest.approx(0.01, rel=0.01), "after the table, its last rate"


def test_weight_decay_spares_biases():
    model = learner("sgd", rates=(0.1,), weight_decay=0.5)
    kernel = model.get_layer("late").get_weights()[0].copy()
    model.get_layer("early").set_weights([np.zeros((1, 1)), np.zeros(1)])
    step(model)
    assert model.get_layer("late").get_weights()[0] == pytest.approx(kernel * 0.95, rel=1e-4)
    assert model.get_layer("late").get_weights()[1] == pytest.approx(-0.19, rel=1e-4), "Nesterov"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_no_weight_decay(name):
    model = learner(name, rates=(0.1,), weight_decay=0.0)
    model.get_layer("early").set_weights([np.zeros((1, 1)), np.zeros(1)])
    kernel = model.get_layer("late").get_weights()[0].copy()
    step(model)
    assert np.array_equal(model.get_layer("late").get_weights()[0], kernel), "its input is zero"


def test_averaged_weights_are_given_and_taken_back():
    model = learner("adam", average=0.5)
    start = model.get_layer("late").get_weights()[1].item()
    steps = [step(model)["late"] for _ in range(2)]
    own = model.get_weights()
    with averaged(model):
        # The average of the first step is its weight; the second one counts half.
        expected = start + steps[0] + 0.5 * steps[1]
        assert model.get_layer("late").get_weights()[1].item() == pytest.approx(expected, rel=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), own, strict=True))
    plain = learner("adam")
    step(plain)
    with averaged(plain):
        pass


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_from_the_disk_as_if_it_had_never_stopped(name, tmp_path):
    rates, settings = np.linspace(0.1, 0.01, 8), {"weight_decay": 0.01, "average": 0.9}
    whole = learner(name, rates, **settings)
    for _ in range(3):
        step(whole)
    save_optimizer(tmp_path / "a.npz", whole.optimizer)
    other = learner(name, rates, **settings)
    other.set_weights(whole.get_weights())
    restore_optimizer(tmp_path / "a.npz", other.optimizer)
    assert step(other) == step(whole)
    (tmp_path / "b.npz").write_bytes(b"no arrays")
    with pytest.raises(ConfigurationError, match=r"b\.npz"):
        restore_optimizer(tmp_path / "b.npz", other.optimizer)


def test_the_heads_batch_norm_gets_the_statistics_of_todays_features():
    model = build_model("tiny-cnn", 2, size=32, head="small", weights="none")
    images = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3)).astype(np.uint8)
    renew_batch_norm(model, np.split(images, 4))
    backbone, _ = split_head(model)
    features, norm = backbone.predict_on_batch(images), model.get_layer("head_bn")
    assert np.asarray(norm.moving_mean) == pytest.approx(features.mean(axis=0), abs=1e-4)
    assert np.asarray(norm.moving_variance) == pytest.approx(features.var(axis=0), rel=1e-3, abs=1e-6)


def test_backbone_and_head_are_the_model():
    model = build_model("tiny-cnn", 3, size=32, head="large", weights="none")
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    backbone, head = split_head(model)
    found = head.predict_on_batch(backbone.predict_on_batch(images))
    assert found == pytest.approx(model.predict_on_batch(images), abs=1e-5)
