"""Tiny data for training: coloured JPEGs with a manifest as `maskgen synth` writes it, or in a plain tree."""

import hashlib
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from maskgen.records import FaceRecord, ManifestRow
from maskgen.results.manifest import row_to_json
from maskgen.train.data.examples import Example

# `.ci/run` installs these extras, so that there nothing is skipped.
needs_train = pytest.mark.skipif(
    not all(map(find_spec, ("tensorflow", "matplotlib"))), reason="needs the extra [train]"
)
needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnxruntime", "tf2onnx"))), reason="needs the extra [onnx]"
)

FACE = FaceRecord(
    box=(10, 8, 24, 30),
    mask_box=(12, 22, 20, 14),
    pose={"yaw": 0.0, "pitch": 0.0, "roll": 0.0},
    landmarks={},
    detection="as-is",
    template="plain",
    template_sha256="0" * 64,
    kind="surgical",
    tone="light",
    color=None,
    pattern=None,
    fit="mesh",
    blend="overlay",
    wear="correct",
    wear_agrees=True,
    tries=1,
    occluded=0.0,
    coverage={"nose": 1.0, "mouth": 1.0, "chin": 1.0, "lower_face": 1.0},
)


def jpeg(seed, color=(128, 128, 128), size=(48, 48), spread=20):
    """Noise around a colour (BGR): no two seeds give the same bytes."""
    noise = np.random.default_rng(seed).normal(0, spread, (size[1], size[0], 3))
    picture = (noise + np.array(color)).clip(0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def row(name, label="female", **fields):
    """A manifest row of a masked image; fields replace what it has by default."""
    source = {"dataset": "folder", "path": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
    known = {
        **{"id": name, "variant": 0, "status": "masked", "reason": None, "file_name": name, "sha256": None},
        **{"width": 48, "height": 48, "label": label, "split": None, "identity": None, "attributes": {}},
        **{"source": source, "faces": (FACE,), "seed": 0},
    }
    return ManifestRow(**{**known, **fields})


def write_masked(folder, rows, colors=None):
    """Write a folder as `synth` does: the manifest, and each row's images; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.jsonl").write_text("".join(row_to_json(each) + "\n" for each in rows))
    for index, each in enumerate(rows):
        color = (colors or {}).get(each.id, (128, 128, 128))
        for place, name in enumerate((each.file_name, each.unmasked_file)):
            if name is not None and each.status == "masked":
                write(folder / name, jpeg(2 * index + place, color))
    return folder


def example(name, label="female", split=None, **fields):
    """An example that no file stands behind."""
    known = {"path": f"/nowhere/{name}", "source": f"set: {name}", "hashes": frozenset((f"#{name}",))}
    return Example(name, label=label, split=split, **{**known, **fields})


def people(count, pictures, label_of, split=None):
    """Rows of so many people with so many images each, named p3_1.jpg."""
    return [
        row(f"p{person}_{picture}.jpg", label_of(person), identity=f"p{person}", split=split)
        for person in range(count)
        for picture in range(pictures)
    ]
