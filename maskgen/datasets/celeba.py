"""CelebA: 202,599 images of 10,177 celebrities with 40 attributes each, aligned or in the wild.

Reads the published layout, that of common loaders (one folder), and Kaggle's (CSV, nested folders).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import LabelTable, read_lines
from maskgen.datasets.readers.root import find_label_files, holds_name, images, label_paths, sample_at
from maskgen.errors import AnnotationError
from maskgen.records import Box, Sample

# The order of the columns, for copies without a header.
ATTRIBUTES = [
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs"),
    *("Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows"),
    *("Chubby", "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones"),
    *("Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin"),
    *("Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair"),
    *("Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace"),
    *("Wearing_Necktie", "Young"),
]
SPLITS = {"0": "train", "1": "validation", "2": "test"}
TRUTH = {"1": True, "-1": False, "0": False}
# An image's name up to its first dot, and the cells after it. One search finds all rows: line by line, the
# 600,000 rows of the three files take three times as long. No two adjacent parts match the same character:
# otherwise a long word would be tried again at each letter.
_ROW = re.compile(r"^[^\S\n]*(?=\S)([^\s.]*)(?:\.\S*)?[^\S\n]+(\S(?:.*\S)?)", re.MULTILINE)
IMAGE_FOLDERS = ("img_align_celeba", "img_celeba", "img_align_celeba_png", "Img")
ATTRIBUTE_FILES = ("list_attr_celeba.txt", "list_attr_celeba.csv")
LISTS = ("list_attr_celeba", "identity_CelebA", "list_eval_partition", "list_bbox_celeba")
LANDMARK_LISTS = ("list_landmarks_align_celeba", "list_landmarks_celeba")
LABEL_FILES = tuple(f"{stem}.{suffix}" for stem in (*LISTS, *LANDMARK_LISTS) for suffix in ("txt", "csv"))


def _read_list(files: Mapping[str, Path], stem: str) -> tuple[list[str], LabelTable[str]]:
    """Column names (none without a header), and each image's cells as text: most are not needed."""
    path = files.get(f"{stem}.txt") or files.get(f"{stem}.csv")
    table = LabelTable[str](path.name if path else f"{stem}.txt")
    header: list[str] = []
    text = "\n".join(read_lines(path)).replace(",", " ").replace(";", " ")
    for _ in range(2):
        line, _, rest = text.partition("\n")
        if line.strip() and not line.partition(".")[0].strip().isdigit():
            header = line.split()
            if header[0].lower() in ("image_id", "image", "file", "filename"):
                header = header[1:]
            text = rest
        elif len(line.split()) < 2:  # a count, or nothing
            text = rest
    for number, cells in _ROW.findall(text):  # lines of a single word are not rows
        table.add(number, cells)
    if path and stem == "list_attr_celeba" and "Male" not in (header := header or ATTRIBUTES):
        raise AnnotationError(f"{path}, line 2: expected a column 'Male', got {header}")
    return header, table


def _attributes(header: list[str], cells: list[str]) -> dict[str, Any]:
    """The attributes of one row, or a ``note`` if it is invalid."""
    if len(cells) != len(header):
        return {"note": f"its row has {len(cells)} values where {len(header)} were expected"}
    row = dict(zip(header, cells, strict=True))
    split = SPLITS.get(row.pop("Partition", ""))  # one copy has it among the attributes
    try:
        # By `map`: in a comprehension, the 8 million cells would take longer than everything else.
        attributes: dict[str, Any] = dict(zip(row, map(TRUTH.__getitem__, row.values()), strict=True))
    except KeyError:
        name, cell = next((name, cell) for name, cell in row.items() if cell not in TRUTH)
        return {"note": f"{name} is {cell!r} where 1 or -1 was expected"}
    return {**attributes, "gender": "male" if attributes["Male"] else "female", "split": split}


def _box(cells: str) -> tuple[Box, ...]:
    with suppress(ValueError):
        x, y, width, height = map(float, cells.split())
        return ((x, y, width, height),) if width > 0 and height > 0 else ()
    return ()


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root, aligned or not, by the number in its name."""
    files = find_label_files(root, LABEL_FILES)
    (header, attributes), (_, identities), (_, splits), (_, boxes) = (
        _read_list(files, stem) for stem in LISTS
    )
    for relative in images(root):
        folders, _, name = relative.rpartition("/")
        number = name.partition(".")[0]
        row = attributes.find(number)
        labels = {"note": attributes.missing(number)} if row is None else _attributes(header, row.split())
        split = SPLITS.get(splits.find(number) or "") or labels.get("split")
        # The published boxes are those of the images in the wild, not of the aligned ones.
        box = _box(boxes.find(number) or "") if "img_celeba" in folders.split("/") else ()
        yield sample_at(root, relative, {**labels, "split": split, "identity": identities.find(number)}, box)
    for table in (attributes, identities, splits):
        table.report()


CELEBA = FaceDataset(
    name="celeba",
    title="CelebA",
    homepage="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    licence="Non-commercial research only; neither images nor what is made of them may be passed on.",
    forbids=(
        "Commercial use; copying, publishing or passing on any of the images, or what is derived "
        "from them, outside of one's own site."
    ),
    citation="Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild, ICCV 2015",
    expects=(
        "img_align_celeba/000001.jpg ... (or img_celeba/, img_align_celeba_png/)",
        "list_attr_celeba.txt or .csv, list_eval_partition.txt or .csv, identity_CelebA.txt",
    ),
    holds=lambda root: holds_name(root, IMAGE_FOLDERS) or bool(find_label_files(root, ATTRIBUTE_FILES)),
    samples=samples,
    always={"gender": "list_attr_celeba.txt or .csv", "split": "list_eval_partition.txt or .csv"},
    annotations=lambda root: label_paths(root, LABEL_FILES),
)
