"""Any folder of images, with subfolders of any depth."""

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.root import labelled_by_path
from maskgen.files.path_text import to_text
from maskgen.records import genders_in


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
    licence="The terms of the images' authors.",
    expects=("images, in folders or not",),
    holds=lambda root: root.is_dir(),
    samples=labelled_by_path(folder_attributes),
    label="folder",
)
