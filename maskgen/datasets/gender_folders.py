"""Images in folders by split and gender, ``Training/male``, ``Validation/female`` ..., in any case.

The layout of Kaggle's gender datasets, including ``GenderOcclusionData/`` (masked).
"""

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.root import folders_near, labelled_by_path
from maskgen.records import GENDER_WORDS, SPLIT_WORDS, genders_in, split_of


def _labels(relative: str) -> dict[str, str]:
    """Split and gender from the names of an image's folders."""
    folders = relative.split("/")[:-1]
    splits = [split for folder in folders if (split := split_of(folder))]
    labels = {"split": splits[-1]} if splits else {}
    genders = genders_in(folders) or genders_in(folders, letters=True)
    if len(genders) == 1:
        return labels | {"gender": genders.pop()}
    where = "folders of both genders" if genders else "no folder named male or female"
    return labels | {"note": f"it lies in {where}"}


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
    samples=labelled_by_path(_labels),
    always={"gender": "folders named male and female, man and woman, ..."},
)
