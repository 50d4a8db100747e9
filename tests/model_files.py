"""Tiny model files, made by hand: archives, descriptions and weights, as others may send them."""

import io
import json
import zipfile

import pytest

from maskgen.train.model.load import CONFIG
from maskgen.train.spec import ModelSpec

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None}
MODEL = {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"layers": [DENSE]}}
SPEC = ModelSpec(("female", "male"), 16, "face", 0.25, None, None, "tiny-cnn")


def written(path, described, **more):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(CONFIG, described if isinstance(described, str) else json.dumps(described))
        for name, data in more.items():
            archive.writestr(name, data)
    return path


def hdf5(write):
    h5py = pytest.importorskip("h5py")
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        write(h5py, root)
    return file.getvalue()


def external_storage(h5py, root):
    root.create_dataset("vars/0", (4,), "u1", external=[("/etc/passwd", 0, 4)])
