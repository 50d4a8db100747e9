"""Pictures sorted into ``Training/male``, ``Training/female``, ``Validation/male`` ...

The layout of Kaggle's gender datasets, among them the masked one (``GenderOcclusionData/``): a folder per
split, any case, holding one per gender.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskgen.datasets.annotations import split_of
from maskgen.datasets.dataset import FaceDataset
from maskgen.datasets.walk import images, sample_at
from maskgen.records import Sample
from maskgen.system_files import is_system_name

GENDERS = ("male", "female")


def samples(root: Path) -> Iterator[Sample]:
    """Every picture below the root, by the names of the folders it lies in."""
    for relative in images(root):
        folders = relative.lower().split("/")[:-1]
        genders = sorted(set(GENDERS).intersection(folders))
        splits = [split for folder in folders if (split := split_of(folder))]
        note = (
            "it lies in no folder named male or female" if not genders else "it lies in male/ and in female/"
        )
        yield sample_at(
            root,
            relative,
            {"gender": genders[0]} if len(genders) == 1 else {"note": note},
            split=splits[-1] if splits else None,
        )


def _folders(root: Path) -> list[Path]:
    inner = root.iterdir() if root.is_dir() else ()
    return [path for path in inner if path.is_dir() and not is_system_name(path.name)]


def _holds(root: Path) -> bool:
    """Looks for a gender folder at most three levels down, through folders of splits and one around them."""
    level = _folders(root)
    for _ in range(3):
        if any(path.name.lower() in GENDERS for path in level):
            return True
        level = [inner for path in level if split_of(path.name) or len(level) < 4 for inner in _folders(path)]
    return False


GENDER_FOLDERS = FaceDataset(
    name="gender-folders",
    title="Folders by split and gender",
    homepage="https://www.kaggle.com/datasets/cashutosh/gender-classification-dataset",
    licence="The terms of whoever published the pictures.",
    citation="Layout of the Kaggle sets gender-classification-dataset and GenderOcclusionData",
    expects=("Training/male/, Training/female/, Validation/male/ ... (or Train, Val, Test; any case)",),
    holds=_holds,
    samples=samples,
)
