"""Adapters for public datasets: one module each, with a `FaceDataset` and ``samples(root)``.

    root -find_root-> FaceDataset.samples -> Sample (path, id, split, identity, boxes, attributes)

To add a dataset, copy ``utkface.py`` (labels in file names) or ``lfw.py`` (label files) and add it below. The
samples are the image files below the root; label files only add labels. Nothing outside the root is read.
"""

import os
from pathlib import Path

from maskgen.datasets.adience import ADIENCE
from maskgen.datasets.base import FaceDataset
from maskgen.datasets.celeba import CELEBA
from maskgen.datasets.fairface import FAIRFACE
from maskgen.datasets.folder import FOLDER
from maskgen.datasets.gender_folders import GENDER_FOLDERS
from maskgen.datasets.imdb_wiki import IMDB_WIKI
from maskgen.datasets.lfw import LFW
from maskgen.datasets.sample import SAMPLE
from maskgen.datasets.table import TABLE
from maskgen.datasets.utkface import UTKFACE
from maskgen.datasets.vggface2 import VGGFACE2
from maskgen.datasets.webdataset import WEBDATASET
from maskgen.datasets.widerface import WIDERFACE
from maskgen.errors import MissingDataError, UsageError
from maskgen.files.image_files import archive_hint
from maskgen.files.remote import exists, location

__all__ = ["DATASETS", "FaceDataset", "find_root", "found", "get_dataset"]

DATASETS: dict[str, FaceDataset] = {
    dataset.name: dataset
    for dataset in (
        *(CELEBA, LFW, ADIENCE, UTKFACE, FAIRFACE, IMDB_WIKI, WIDERFACE, VGGFACE2),
        *(GENDER_FOLDERS, FOLDER, TABLE, WEBDATASET, SAMPLE),
    )
}


def get_dataset(name: str) -> FaceDataset:
    """The dataset of a name; a `UsageError` lists the valid names."""
    if (dataset := DATASETS.get(name.lower())) is None:
        raise UsageError(f"there is no dataset {name!r}; expected one of {', '.join(DATASETS)}")
    return dataset


def places(dataset: FaceDataset) -> list[Path]:
    """The folders that are searched for a dataset without a root, in this order."""
    if dataset.ships_in:
        return [dataset.ships_in]
    shared = os.environ.get("MASKGEN_DATA")
    folders = [location(os.path.expanduser(shared))] if shared else []  # noqa: PTH111
    return [folder / dataset.name for folder in (*folders, Path("data"), Path())]


def find_root(dataset: FaceDataset, root: Path | None = None) -> Path:
    """The root of a dataset, given or the first of `places` with it, else a `MissingDataError`."""
    candidates = places(dataset) if root is None else [root]
    for place in candidates:
        if (dataset.files or exists(place)) and dataset.holds(place):
            return place
    hint = "" if root or os.environ.get("MASKGEN_DATA") else " ($MASKGEN_DATA is not set)"
    lines = [
        f"{dataset.title} was not found. Looked in{hint}:",
        *(f"  {place} ({'does not hold it' if exists(place) else 'is not there'})" for place in candidates),
        "Expected there:",
        *(f"  {what}" for what in dataset.expects),
        *([f"Get it from {dataset.homepage} ({dataset.licence})"] if dataset.homepage else []),
        *filter(None, map(archive_hint, candidates)),
        "Put it into one of these folders, or give its folder with --root DIR.",
    ]
    raise MissingDataError("\n".join(lines))


def found() -> list[tuple[FaceDataset, Path | None]]:
    """Every dataset with the folder that contains it, or None."""
    return [
        (dataset, next((place for place in places(dataset) if exists(place) and dataset.holds(place)), None))
        for dataset in DATASETS.values()
    ]
