"""Every backbone goes into every format."""

import os

import numpy as np
import pytest
from train_data import needs_onnx, needs_train

from maskgen.errors import ModelError
from maskgen.keras_runtime import seed_everything
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.build import build_model
from maskgen.train.model.classifier import open_classifier
from maskgen.train.model.converters import CONVERTERS, Source
from maskgen.train.model.export import LEAST_AGREEMENT, export
from maskgen.train.model.load import load_model
from maskgen.train.spec import ModelSpec, embed_spec, read_spec

pytestmark = [needs_train, needs_onnx]

# The largest would take gigabytes, and differ in depth and width alone.
SMALL = ("tiny-cnn", "efficientnet_b0", "mobilenet_v2")
GIANTS = ("efficientnet_b6", "efficientnet_b7")
slow = pytest.mark.skipif("MASKGEN_SLOW" not in os.environ, reason="minutes; set MASKGEN_SLOW=1 to run it")


def _normalised(name, images):
    """An untrained model with the statistics of these images: without them, a deep one says 0.5 of any."""
    # With the first seed, this one's answers to all images are nearly the same.
    seed_everything(2 if name == "efficientnet_b3" else 1, False)
    model = build_model(name, 2, size=images.shape[1], dropout=0, weights="none")
    for layer in model.layers:
        if hasattr(layer, "momentum"):
            layer.momentum = 0.0
    model(images, training=True)
    return model


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SMALL else slow) for name in BACKBONES if name not in GIANTS],
)
def test_every_backbone_goes_into_every_format_at_a_small_size(tmp_path, name):
    # Deep without shortcuts: rounding grows, and Keras itself differs by 1e-4 from its float64 result.
    size, limit = (75, 1e-3) if name == "inception_v3" else (64, 1e-4)
    # Not eight images: their variances are near zero, and rounding then moves Keras's own outputs by 1e-4.
    images = np.random.default_rng(1).integers(0, 256, (64, size, size, 3)).astype(np.float32)
    model, images = _normalised(name, images), images[:16]
    probabilities = np.asarray(model(images))
    assert np.ptp(probabilities[:, 0]) > 0.1
    assert np.mean((probabilities > 0.02) & (probabilities < 0.98)) > 0.5
    path = tmp_path / "model.keras"
    model.save(path)
    embed_spec(path, ModelSpec(("a", "b"), size, "full", 0.0, None, None, name))
    model = load_model(path)
    source = Source(path, model, read_spec(path), images, probabilities)
    for format, precision in CONVERTERS:
        try:
            done = export(source, format, precision=precision)
        except ModelError as error:
            # Weights that were not trained leave little room for rounding: a refusal is an answer.
            assert precision != "float" and "predicts the class of Keras for only" in str(error)
            print(f"{name} | {format} {precision} | refused: {error}")
            continue
        print(
            f"{name} | {format} {precision} | {done.bytes / 1e6:.1f} MB | {done.difference:.1e} | "
            f"{done.agreement:.0%} | {done.milliseconds:.1f} ms"
        )
        assert done.difference <= limit if precision == "float" else done.agreement >= LEAST_AGREEMENT
        if format != "savedmodel":
            own = open_classifier(done.path).probabilities(images.astype(np.uint8))
            assert np.abs(own - probabilities).max() <= done.difference + 1e-5
