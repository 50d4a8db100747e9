"""Keeps tensorflow's chatter out of the tests' output, and the tests off the network."""

import io
import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(autouse=True)
def reachable(monkeypatch):
    """Let ImageNet's weights seem to be within reach; tests of what comes after end before them."""
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO())


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The model file of `exported_models`."""
    from exported_models import write_model

    return write_model(tmp_path_factory.mktemp("run") / "best.keras")


@pytest.fixture(scope="session")
def tiny_exports(tiny_model, tmp_path_factory):
    """Suffix -> that model as ONNX and TFLite."""
    from exported_models import PORTRAITS

    from maskgen.train.model.export import export, open_source

    source, folder = open_source(tiny_model, PORTRAITS), tmp_path_factory.mktemp("exported")
    return {f".{name}": export(source, name, out=folder / f"m.{name}").path for name in ("onnx", "tflite")}
