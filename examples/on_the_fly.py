"""What a mask detector gains from masks drawn anew in each epoch, judged on photographs of real masks.

A plain classifier (logistic regression on small aligned colour images) learns "mask" or "no mask" from bare
faces and their synthetic masks, in three ways with equally many images:

    one template   each face masked once, always by the same template
    one copy       each face masked once, by templates as in the street
    on the fly     each face masked anew in each epoch, by templates as in the street

It is judged on photographs of people who wear real masks, and on bare faces that it has not seen. Needs
scikit-learn (the extra [train]).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np

import maskgen

SIDE = 24  # of the images that the classifier sees, in pixels
# Outer eye corners in such an image: the rest of the face is below them.
EYES = np.array([[6.5, 7.0], [16.5, 7.0]], np.float32)
WAYS = {
    "one template": {"template": "surgical_blue", "is_fresh": False},
    "one copy": {"template": "street", "is_fresh": False},
    "on the fly": {"template": "street", "is_fresh": True},
}
Image = np.ndarray
Face = tuple[Image, maskgen.Landmarks]


def read_faces(root: Path, count: int) -> tuple[list[Face], int]:
    """The largest face of each image below a folder, and the number of images without one."""
    masker, faces, missed = maskgen.Masker(), [], 0
    for sample in maskgen.open_dataset("folder", root):
        image = maskgen.read_image(sample)
        if scale := max(image.shape) // 320:  # large photographs are read at half their size or less
            image = cv2.resize(image, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
        found = masker.find(image)
        faces += [(image, face) for face in found[:1]]
        missed += not found
        if len(faces) == count:
            break
    return faces, missed


def features(image: Image, face: maskgen.Landmarks) -> np.ndarray:
    """The aligned face as numbers: its Lab colours, less their mean and by their spread."""
    corners = face.points[[33, 263], :2]
    matrix, _ = cv2.estimateAffinePartial2D(corners, EYES)
    lab = cv2.cvtColor(cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA), cv2.COLOR_RGB2Lab)
    pixels = lab.astype(np.float32)
    pixels = (pixels - pixels.mean(axis=(0, 1))) / (pixels.std(axis=(0, 1)) + 8)
    return pixels.ravel()


def masked_features(faces: Sequence[Face], template: str, seed: int, epoch: int) -> np.ndarray:
    """One masked image of each face, in the draw of this epoch."""
    masker = maskgen.Masker(template, "poisson", seed=seed)
    results = (
        masker(image, key=f"{place} {epoch}", landmarks=face) for place, (image, face) in enumerate(faces)
    )
    return np.array([features(result.image, result.landmarks[0]) for result in results])


def recalls(train: np.ndarray, labels: np.ndarray, real: np.ndarray, bare: np.ndarray) -> tuple[float, float]:
    """Shares of the real masks and of the bare faces that are recognised."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.003, max_iter=300).fit(train, labels)
    return float(model.predict(real).mean()), float(1 - model.predict(bare).mean())


@click.command()
@click.argument("faces", type=click.Path(exists=True, path_type=Path))
@click.argument("real_masks", type=click.Path(exists=True, path_type=Path))
@click.argument("bare_faces", type=click.Path(exists=True, path_type=Path))
@click.option("--train", default=400, show_default=True, help="Faces of FACES to learn from.")
@click.option("--epochs", default=5, show_default=True)
@click.option("--seeds", default=3, show_default=True, help="Repetitions with other draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(
    faces: Path, real_masks: Path, bare_faces: Path, train: int, epochs: int, seeds: int, as_json: bool
) -> None:
    """Learn from bare FACES with synthetic masks; judge on photographs in REAL_MASKS and BARE_FACES."""
    learnt, _ = read_faces(faces, train)
    worn, missed = read_faces(real_masks, 10_000)
    unseen, _ = read_faces(bare_faces, len(worn))
    real, bare = (np.array([features(*face) for face in group]) for group in (worn, unseen))
    plain = np.array([features(*face) for face in learnt])
    labels = np.repeat([0, 1], len(learnt) * epochs)
    figures = {
        "learnt": len(learnt),
        "real": len(real),
        "real_not_found": missed,
        "bare": len(bare),
        "ways": {},
    }
    for way, choice in WAYS.items():
        pairs = []
        for seed in range(seeds):
            drawn = range(epochs) if choice["is_fresh"] else [0] * epochs
            by_epoch = {
                epoch: masked_features(learnt, str(choice["template"]), seed, epoch) for epoch in set(drawn)
            }
            images = np.concatenate([plain] * epochs + [by_epoch[epoch] for epoch in drawn])
            pairs.append(recalls(images, labels, real, bare))
        mean, spread = np.mean(pairs, axis=0), np.ptp(np.mean(pairs, axis=1))
        figures["ways"][way] = {
            "real_masks": mean[0],
            "bare_faces": mean[1],
            "balanced": mean.mean(),
            "range": float(spread),
        }
    if as_json:
        click.echo(json.dumps(figures, indent=1))
        return
    click.echo(
        f"{len(learnt)} faces learnt; judged on {len(real)} real masks ({missed} not found), {len(bare)} bare"
    )
    for way, row in figures["ways"].items():
        parts = f"real masks {row['real_masks']:.3f}, bare faces {row['bare_faces']:.3f}"
        click.echo(f"{way:13} balanced {row['balanced']:.3f} ({parts}; range over seeds {row['range']:.3f})")


if __name__ == "__main__":
    main()
