"""A tiny model as `maskgen train` saves it, and the images that its exports are compared on."""

from maskgen.datasets.sample import SHIPS_IN
from maskgen.keras_runtime import seed_everything
from maskgen.train.model.build import build_model
from maskgen.train.spec import ModelSpec, embed_spec

PORTRAITS = sorted(SHIPS_IN.glob("*.jpg"))
SPEC = ModelSpec(("female", "male"), 48, "face", 0.25, None, None, "tiny-cnn")


def write_model(path):
    seed_everything(3, False)
    build_model("tiny-cnn", 2, size=48, weights="none").save(path)
    embed_spec(path, SPEC)
    return path
