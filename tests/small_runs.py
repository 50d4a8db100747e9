"""Tiny datasets with landmarks and a template beside them, so that whole runs need no landmark model."""

import json

import numpy as np
from PIL import Image
from synthetic_faces import mean_face, plain_template

from maskgen.landmarks.landmark_file import write_landmark_file
from maskgen.options import SynthOptions
from maskgen.run.job import Job, run


def write_dataset(root, count=10, size=(120, 140)):
    """Noisy JPEGs in female/ and male/, a mean face in all but every fifth; returns ``root``."""
    rows = []
    for index in range(count):
        name = f"{('female', 'male')[index % 2]}/{index:03}.jpg"
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(index).normal(140, 12, (*size[::-1], 3))
        Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(path, quality=90)
        rows.append((name, size, [] if index % 5 == 4 else [face(size, roll=index)]))
    write_landmark_file(landmark_file(root), rows)
    write_template(template_file(root))
    return root


def write_images(root, names, size=(120, 140)):
    """A noisy JPEG with a mean face for each name, and the landmarks and a template beside the root."""
    rows = []
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).normal(140, 12, (*size[::-1], 3)).clip(0, 255)
        Image.fromarray(noise.astype(np.uint8)).save(root / name, quality=90)
        rows.append((name, size, [face(size, roll=number)]))
    write_landmark_file(landmark_file(root), rows)
    write_template(template_file(root))


def flat(root, *names):
    """Copies of one image with a mean face under these names, and its landmarks beside the root."""
    made = write_dataset(root.with_name("made"), count=1)
    image = (made / "female/000.jpg").read_bytes()
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(image)
    write_landmark_file(
        root.with_name(f"{root.name}_landmarks.jsonl"),
        [(name, (120, 140), [face((120, 140))]) for name in names],
    )
    return root


def template_file(root):
    return root.with_name("plain.png")


def write_template(path):
    """An ellipse of one colour, a quarter of the usual size."""
    template = plain_template()
    Image.fromarray(template.bgra[::4, ::4, [2, 1, 0, 3]]).save(path)
    anchors = {name: [x / 4, y / 4] for name, (x, y) in template.anchors.items()}
    told = {"kind": "surgical", "tone": "light", "recolourable": True, "licence": "MIT", "anchors": anchors}
    path.with_suffix(".json").write_text(json.dumps(told))


def landmark_file(root):
    return root.with_name(f"{root.name}_landmarks.jsonl")


def face(size=(120, 140), roll=0.0):
    width, height = size
    return mean_face(size=size, eye_distance=width / 3, roll=roll, center=(width / 2, height * 0.45))


def job(root, out, *, max_errors=None, **options):
    """A job over a folder written by `write_dataset`, in shards of three."""
    fixed = {"templates": ((str(template_file(root)), 1.0),), "landmarks": str(landmark_file(root))}
    chosen = SynthOptions("folder", **{"label": "gender", "shard_size": 3, **fixed, **options})
    return Job(chosen, root, out, max_errors=max_errors)


def masked(root, out, *, max_errors=None, running=None, **options):
    """Runs such a job quietly."""
    return run(job(root, out, max_errors=max_errors, **options), progress=False, **(running or {}))


def tree(out):
    """Path -> bytes of all files that a run leaves, those of ``.maskgen`` included."""
    files = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items()}


def differing(one, other):
    """Names of the files in which two trees differ: a message of bytes would help nobody."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
