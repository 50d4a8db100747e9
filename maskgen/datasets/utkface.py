"""UTKFace: 23,708 faces with age, gender and race in their file names, aligned or in the wild.

The names are ``[age]_[gender]_[race]_[date].jpg``. A few names have no gender; these images stay unlabelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_file_search import folders_near
from maskgen.datasets.readers.samples import images, sample_at
from maskgen.records import Sample

FOLDERS = ("UTKFace", "utkcropped", "crop_part1", "part1", "part2", "part3")
NAME = re.compile(r"(\d{1,3})_(\d)_(\d)_\d{8,}.*")
SHORT_NAME = re.compile(r"(\d{1,3})_\d_\d{8,}.*")
GENDERS = {"0": "male", "1": "female"}
RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}


def _attributes(name: str) -> dict[str, Any]:
    """The attributes in a file name, and a ``note`` of those that are missing."""
    if match := NAME.fullmatch(name):
        attributes = {"age": int(match[1]), "gender": GENDERS.get(match[2]), "race": RACES.get(match[3])}
        lacking = [field for field, value in attributes.items() if value is None]
        return attributes | {
            "note": f"the file name has no valid {' and '.join(lacking)}" if lacking else None
        }
    if match := SHORT_NAME.fullmatch(name):
        return {"age": int(match[1]), "note": "the file name has three fields instead of four: no gender"}
    return {"note": "the file name is not AGE_GENDER_RACE_DATE"}


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root, with the attributes of its name."""
    for relative in images(root):
        yield sample_at(root, relative, _attributes(relative.rpartition("/")[2]))


UTKFACE = FaceDataset(
    name="utkface",
    title="UTKFace",
    homepage="https://susanqq.github.io/UTKFace/",
    licence="Non-commercial research only; the images belong to their original owners.",
    forbids=(
        "Commercial use. Its authors remove images whose owners ask for it; masked copies of these "
        "must go too."
    ),
    citation="Zhang, Song, Qi: Age Progression/Regression by Conditional Adversarial Autoencoder, CVPR 2017",
    expects=("UTKFace/, crop_part1/ or part1/ ... part3/ with 26_1_0_20170116171048641.jpg.chip.jpg ...",),
    holds=lambda root: any(
        name in FOLDERS or NAME.fullmatch(name) for _, names in folders_near(root) for name in names
    ),
    samples=samples,
    always={"gender": "file names AGE_GENDER_RACE_DATE.jpg"},
)
