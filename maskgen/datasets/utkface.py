"""UTKFace: 23,708 faces with age, gender and race in their file names, aligned or in the wild.

The names are ``[age]_[gender]_[race]_[date].jpg``. A few names have no gender; these images stay unlabelled.
"""

import re
from typing import Any

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.root import holds_name, labelled_by_path

FOLDERS = ("UTKFace", "utkcropped", "crop_part1", "part1", "part2", "part3")
NAME = re.compile(r"(\d{1,3})_(\d)_(\d)_\d{8,}.*")
SHORT_NAME = re.compile(r"(\d{1,3})_\d_\d{8,}.*")
GENDERS = {"0": "male", "1": "female"}
RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}


def _attributes(relative: str) -> dict[str, Any]:
    """The attributes in an image's name, and a ``note`` of those that are missing."""
    name = relative.rpartition("/")[2]
    if match := NAME.fullmatch(name):
        attributes = {"age": int(match[1]), "gender": GENDERS.get(match[2]), "race": RACES.get(match[3])}
        lacking = [field for field, value in attributes.items() if value is None]
        note = f"the file name has no valid {' and '.join(lacking)}" if lacking else None
        return attributes | {"note": note}
    if match := SHORT_NAME.fullmatch(name):
        return {"age": int(match[1]), "note": "the file name has three fields instead of four: no gender"}
    return {"note": "the file name is not AGE_GENDER_RACE_DATE"}


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
    holds=lambda root: holds_name(root, FOLDERS, NAME),
    samples=labelled_by_path(_attributes),
    always={"gender": "file names AGE_GENDER_RACE_DATE.jpg"},
)
