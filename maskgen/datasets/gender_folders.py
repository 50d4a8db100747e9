"""Images in folders by split and gender: ``Training/male``, ``Training/female``, ``Validation/male`` ...

The layout of Kaggle's gender datasets, including ``GenderOcclusionData/`` (masked): a folder per split
(in any case) with a folder per gender.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_file_search import folders_near
from maskgen.datasets.readers.samples import images, sample_at
from maskgen.records import GENDER_WORDS, SPLIT_WORDS, Sample, genders_in, split_of


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root, with split and gender from the names of its folders."""
    for relative in images(root):
        folders = relative.split("/")[:-1]
        genders = genders_in(folders) or genders_in(folders, letters=True)
        splits = [split for folder in folders if (split := split_of(folder))]
        note = (
            "it lies in folders of both genders" if genders else "it lies in no folder named male or female"
        )
        yield sample_at(
            root,
            relative,
            {"gender": genders.pop()} if len(genders) == 1 else {"note": note},
            split=splits[-1] if splits else None,
        )


GENDER_FOLDERS = FaceDataset(
    name="gender-folders",
    title="Folders by split and gender",
    homepage="https://www.kaggle.com/datasets/cashutosh/gender-classification-dataset",
    licence="The terms of the images' publishers.",
    citation="Layout of the Kaggle sets gender-classification-dataset and GenderOcclusionData",
    expects=(
        "Training/male/, Training/female/, Validation/male/ ... in any case",
        f"folders of splits: {', '.join(SPLIT_WORDS)}",
        f"folders of genders: {', '.join(GENDER_WORDS)}; numbers say no gender: rename 0/ and 1/",
    ),
    holds=lambda root: any(genders_in(names, letters=True) for _, names in folders_near(root)),
    samples=samples,
    always={"gender": "folders named male and female, man and woman, ..."},
)
