"""WIDER FACE: 32,203 scenes with boxes and splits, or face crops by gender (``0/`` female, ``1/`` male)."""

import re
from collections.abc import Iterator
from pathlib import Path

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import LabelTable, read_lines
from maskgen.datasets.readers.root import find_label_files, holds_name, images, label_paths, sample_at, tail
from maskgen.errors import AnnotationError
from maskgen.files.safe_paths import refuse_escape
from maskgen.records import Box, Sample

SPLITS = {"WIDER_train": "train", "WIDER_val": "validation", "WIDER_test": "test"}
BOX_FILES = {"WIDER_train": "wider_face_train_bbx_gt.txt", "WIDER_val": "wider_face_val_bbx_gt.txt"}
LABEL_FILES = (
    *BOX_FILES.values(),
    *("wider_face_test_filelist.txt", "wider_face_train.mat", "wider_face_val.mat", "wider_face_test.mat"),
)
# The column by the dataset's readme; a widely used loader names columns 7, 8 and 9 wrongly.
INVALID = 7
GENDERS = {"0": "female", "1": "male"}
CROP = re.compile(r".*_([fm])\.\w+")
CROP_FOLDERS = (".", "CroppedFaces", "root")


def _read_boxes(path: Path | None, name: str) -> LabelTable[tuple[Box, ...]]:
    """Boxes by event folder and name; an image's rows end at the next path, and its count is ignored."""
    table = LabelTable[tuple[Box, ...]](name)
    image, boxes = "", list[Box]()
    for number, line in enumerate(read_lines(path), 1):
        where, cells = f"{path}, line {number}", line.split()
        if any(letter.isalpha() for letter in line):
            if image:
                table.add(image, tuple(boxes))
            image, boxes = tail(refuse_escape(line.strip(), where)), []
        elif cells and not image:
            raise AnnotationError(f"{where}: expected the path of an image, got {line[:80]!r}")
        elif len(cells) > 1:
            try:
                x, y, width, height = map(float, cells[:4])
            except ValueError as error:
                row = " ".join(cells)[:80]
                raise AnnotationError(f"{where}: expected x y width height ..., got {row!r}") from error
            if width > 0 and height > 0 and cells[INVALID : INVALID + 1] != ["1"]:
                boxes.append((x, y, width, height))
    if image:
        table.add(image, tuple(boxes))
    return table


def _crop_labels(folder: str, name: str) -> dict[str, str]:
    """Gender of a crop by its folder, or a note if its name contradicts the folder."""
    match, gender = CROP.fullmatch(name), GENDERS[folder]
    if match and gender[0] != match[1]:
        return {"note": f"its folder {folder}/ says {gender}, its name says {match[1]}"}
    return {"gender": gender}


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root: scenes by event and name, crops by folder."""
    files = find_label_files(root, BOX_FILES.values())
    tables = {folder: _read_boxes(files.get(name), name) for folder, name in BOX_FILES.items()}
    for relative in images(root):
        *folders, name = relative.split("/")
        part = next((folder for folder in folders if folder in SPLITS), "")
        if not part and folders and folders[-1] in GENDERS:
            yield sample_at(root, relative, _crop_labels(folders[-1], name))
            continue
        labels = {"split": SPLITS.get(part)}
        if folders:
            labels["event"] = folders[-1].partition("--")[2] or None
        boxes = None
        if (table := tables.get(part)) is not None and (boxes := table.find(tail(relative))) is None:
            labels["note"] = f"no boxes: {table.missing(tail(relative))}"
        yield sample_at(root, relative, labels, boxes or ())
    for table in tables.values():
        table.report()


WIDERFACE = FaceDataset(
    name="widerface",
    title="WIDER FACE",
    homepage="http://shuoyang1213.me/WIDERFACE/",
    licence="Non-commercial research only; the images belong to their original owners.",
    forbids="Commercial use.",
    citation="Yang, Luo, Loy, Tang: WIDER FACE: A Face Detection Benchmark, CVPR 2016",
    expects=(
        "WIDER_train/images/, WIDER_val/images/ or WIDER_test/images/",
        "wider_face_split/wider_face_train_bbx_gt.txt and wider_face_val_bbx_gt.txt",
        "or the crops by gender: 0/ (female) and 1/ (male)",
    ),
    holds=lambda root: (
        holds_name(root, SPLITS)
        or any((root / folder / name).is_dir() for folder in CROP_FOLDERS for name in GENDERS)
    ),
    samples=samples,
    annotations=lambda root: label_paths(root, LABEL_FILES),
    several_faces=True,
    always={
        "boxes or gender": "wider_face_train_bbx_gt.txt and wider_face_val_bbx_gt.txt, or crops in 0/ and 1/",
        "split or gender": "the folders WIDER_train/, WIDER_val/ and WIDER_test/, or crops in 0/ and 1/",
    },
)
