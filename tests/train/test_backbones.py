"""The networks: shapes, scales, blocks, heads, and what learns in which phase."""

import numpy as np
import pytest
from train_data import needs_train

from maskgen.errors import MissingDataError, ModelError, UsageError
from maskgen.keras_runtime import keras
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.build import (
    block_starts,
    build_model,
    freeze_backbone,
    take_weights,
    unfreeze_blocks,
)
from maskgen.train.model.load import load_model
from maskgen.train.model.weights.keras_file import IMAGENET_STD

pytestmark = needs_train

# One of each family; the others differ in depth and width alone.
FAMILIES = {"tiny-cnn": 4, "efficientnet_b0": 7, "inception_v3": 10}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    size = 32 if request.param == "tiny-cnn" else 96
    return request.param, build_model(request.param, 3, size=size, weights="none")


def test_a_model_goes_from_rgb_to_probabilities_without_lambdas(family):
    name, model = family
    size = model.input_shape[1]
    found = model(np.full((2, size, size, 3), 128, np.float32)).numpy()
    assert found.shape == (2, 3)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert not any(isinstance(layer, keras().layers.Lambda) for layer in model.layers), name


def test_the_blocks_are_found_and_whole_ones_unfrozen_with_batch_norm_in_inference_mode(family):
    name, model = family
    starts = list(block_starts(model, BACKBONES[name].blocks))
    assert len(starts) == FAMILIES[name]
    learning = unfreeze_blocks(model, name, 2)
    assert learning == [block for block, _ in starts[-2:]]
    first = starts[-2][1]
    norms = {layer.name for layer in model.layers if isinstance(layer, keras().layers.BatchNormalization)}
    for index, layer in enumerate(model.layers):
        head = layer.name.startswith(("head_", "classes"))
        assert layer.trainable == (head or (index >= first and layer.name not in norms)), layer.name


def test_phases_without_and_from_scratch(family):
    name, model = family
    freeze_backbone(model)
    assert {weight.path.split("/")[0] for weight in model.trainable_weights} == {
        "classes",
    }
    scratch = build_model("tiny-cnn", 2, weights="none")
    assert all(layer.trainable for layer in scratch.layers)
    unfreeze_blocks(model, name, 0)
    assert not any(layer.trainable for layer in model.layers[:-3])


def test_each_backbone_has_the_scale_its_weights_were_trained_with():
    k = keras()
    for name in ("mobilenet_v2", "tiny-cnn"):
        model = build_model(name, 2, size=32, weights="none")
        scaled = k.Model(model.inputs, model.get_layer("to_signed").output)
        ends = scaled.predict_on_batch(np.stack([np.full((32, 32, 3), v, np.float32) for v in (0, 255)]))
        assert (ends.min(), ends.max()) == pytest.approx((-1, 1))
    for name, own in BACKBONES.items():
        inside = name.startswith(("efficientnet", "mobilenet_v3")) or name == "resnet50"
        assert own.signed == (not inside), name


@pytest.mark.parametrize(("head", "widths"), [("large", [2048, 1024]), ("128", [128]), ("1024", [1024])])
def test_heads(head, widths):
    model = build_model("tiny-cnn", 2, size=32, head=head, weights="none")
    dense = [layer.units for layer in model.layers if isinstance(layer, keras().layers.Dense)]
    assert dense == [*widths, 2]


def test_weights_of_another_model_are_taken_over_without_its_head(tmp_path):
    one, other = (build_model("tiny-cnn", classes, size=32, weights="none") for classes in (2, 5))
    one.save(tmp_path / "one.keras")
    taken = build_model("tiny-cnn", 5, size=32, weights=str(tmp_path / "one.keras"))
    for name, same in (("block1_conv", True), ("block4_conv", True), ("classes", False)):
        pairs = zip(one.get_layer(name).get_weights(), taken.get_layer(name).get_weights(), strict=True)
        assert all(a.shape == b.shape and np.array_equal(a, b) for a, b in pairs) == same, name
    with pytest.raises(ModelError, match="no model with this backbone"):
        build_model("mobilenet_v2", 2, size=32, weights=str(tmp_path / "one.keras"))
    del other


def published_weights(path):
    """A file as Keras publishes it: ImageNet's deviations where their squares belong."""
    k = keras()
    trunk = k.applications.EfficientNetB0(include_top=False, weights=None)
    (published,) = [layer for layer in trunk.layers if isinstance(layer, k.layers.Normalization)]
    published.adapt_mean.assign(np.array((0.485, 0.456, 0.406), np.float32))
    published.adapt_variance.assign(np.array(IMAGENET_STD, np.float32))
    trunk.save_weights(path)
    return path


def white_before_the_stem(model):
    """What the first convolution gets of a white image."""
    first = model.get_layer("stem_conv_pad").input
    return keras().Model(model.inputs, first)(np.full((1, 64, 64, 3), 255, np.float32)).numpy()[0, 0, 0]


def test_published_efficientnet_weights_are_given_their_true_scale_and_keep_it(tmp_path, monkeypatch):
    path = published_weights(tmp_path / "notop.weights.h5")
    module = "keras.src.applications.efficientnet.file_utils.get_file"
    monkeypatch.setattr(module, lambda *_, **__: str(path))
    expected = pytest.approx((1 - np.array((0.485, 0.456, 0.406))) / np.array(IMAGENET_STD), rel=1e-4)
    for name in (str(path), "imagenet"):
        model = build_model("efficientnet_b0", 2, size=64, weights=name)
        assert white_before_the_stem(model) == expected, name
        model.save(tmp_path / "trained.keras")
        # A model that begins where this one ended; also once it is saved and read again.
        taken = build_model("efficientnet_b0", 3, size=64, weights=str(tmp_path / "trained.keras"))
        assert white_before_the_stem(taken) == expected, name
        taken.save(tmp_path / "taken.keras")
        assert white_before_the_stem(load_model(tmp_path / "taken.keras")) == expected, name
        plain = build_model("efficientnet_b0", 3, size=64, weights="none")
        take_weights(plain, taken.get_weights())
        assert white_before_the_stem(plain) == expected, name


def test_weights_that_cannot_be_had_say_what_to_do(monkeypatch):
    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(keras().utils, "get_file", offline)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", offline)
    with pytest.raises(ModelError, match="--weights none"):
        build_model("mobilenet_v2", 2, weights="imagenet")
    with pytest.raises(UsageError, match="no ImageNet weights"):
        build_model("tiny-cnn", 2, weights="imagenet")
    with pytest.raises(MissingDataError, match="no such file"):
        build_model("tiny-cnn", 2, weights="absent.h5")
    with pytest.raises(UsageError, match="backbone must be one of"):
        build_model("vgg", 2)
