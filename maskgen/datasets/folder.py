"""Any folder of images, with subfolders of any depth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.samples import images, sample_at
from maskgen.files.path_text import to_text
from maskgen.records import Sample, genders_in


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root; its folder gives the attribute ``folder``, and gender if it names one."""
    for relative in images(root):
        yield sample_at(root, relative, folder_attributes(relative))


def folder_attributes(relative: str) -> dict[str, str]:
    """The attributes from the folders of a path, and a ``note`` if they contradict each other."""
    folders = relative.split("/")[:-1]
    attributes = {"folder": to_text(folders[-1])} if folders else {}
    genders = genders_in(folders)
    if len(genders) == 1:
        attributes["gender"] = genders.pop()
    elif genders:
        attributes["note"] = "it lies in folders of both genders"
    return attributes


FOLDER = FaceDataset(
    name="folder",
    title="A folder of images",
    homepage="",
    licence="The terms of the images' authors.",
    citation="",
    expects=("images, in folders or not",),
    holds=lambda root: root.is_dir(),
    samples=samples,
    label="folder",
)
