"""Adience: 19,370 faces from Flickr albums of 2,284 people, in five folds that share no person."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskgen.datasets.base import FaceDataset
from maskgen.datasets.readers.label_files import LabelTable, merged, read_table
from maskgen.datasets.readers.root import find_label_files, holds_name, images, label_paths, sample_at
from maskgen.records import Sample, gender_of

FOLD_FILES = tuple(f"fold_{fold}_data.txt" for fold in range(5))
FRONTAL_FILES = tuple(f"fold_frontal_{fold}_data.txt" for fold in range(5))
IMAGE_NAME = re.compile(r"(?:coarse_tilt_aligned_face|landmark_aligned_face)\.(\d+)\.(.+)")
NUMBERS = ("face_id", "x", "y", "dx", "dy", "tilt_ang", "fiducial_yaw_angle", "fiducial_score")
REQUIRED = ("user_id", "original_image", "face_id", "age", "gender")
BUCKETS = ((0, 2), (4, 6), (8, 12), (15, 20), (25, 32), (38, 43), (48, 53), (60, 100))


def _age(text: str) -> str | None:
    """The age group that contains an age or range, such as "25-32"; the range itself if no group does."""
    numbers = [int(number) for number in re.findall(r"\d+", text) if len(number) < 4]
    if not numbers:
        return None
    low, high = (25, 32) if numbers == [25, 23] else (numbers[0], numbers[-1])  # 72 rows have the typo
    own = f"{low}-{high}" if high != low else str(low)
    return next((f"{first}-{last}" for first, last in BUCKETS if first <= low <= high <= last), own)


def _attributes(row: dict[str, str], fold: int, file: str) -> dict[str, Any]:
    gender = gender_of(row["gender"])
    numbers = {name: int(row[name]) for name in NUMBERS if re.fullmatch(r"-?\d{1,9}", row.get(name, ""))}
    note = None if gender else f"its gender in {file} is {row['gender'] or 'empty'}"
    return {"gender": gender, "age": _age(row["age"]), "fold": fold, **numbers, "note": note}


def samples(root: Path) -> Iterator[Sample]:
    """Every image below the root; the face number in its name is the identity."""
    files = find_label_files(root, (*FOLD_FILES, *FRONTAL_FILES))
    names = FOLD_FILES if any(name in files for name in FOLD_FILES) else FRONTAL_FILES
    table = LabelTable[dict[str, Any]]("fold_0_data.txt ... fold_4_data.txt", merge=merged)
    for fold, name in enumerate(names):
        for _, row in read_table(files[name], REQUIRED, plain_tabs=True) if name in files else ():
            key = f"{row['user_id']}/{row['face_id']}/{row['original_image']}"
            table.add(key, _attributes(row, fold, name))
    for relative in images(root):
        *folders, name = relative.split("/")
        match = IMAGE_NAME.fullmatch(name)
        if match is None or not folders:
            yield sample_at(root, relative, {"note": "its name is not USER/PREFIX.FACE.IMAGE"})
            continue
        key = f"{folders[-1]}/{match[1]}/{match[2]}"
        labels = table.find(key) or {"note": table.missing(key)}
        yield sample_at(root, relative, {**labels, "identity": match[1]})
    table.report()


ADIENCE = FaceDataset(
    name="adience",
    title="Adience",
    homepage="https://talhassner.github.io/home/projects/Adience/Adience-data.html",
    licence="For research; the images are from Flickr, under Creative Commons terms of their authors.",
    forbids=(
        "What each author's licence forbids: of many images commercial use, of some passing on edited copies."
    ),
    citation="Eidinger, Enbar, Hassner: Age and Gender Estimation of Unfiltered Faces, IEEE TIFS 2014",
    expects=(
        "faces/USER/coarse_tilt_aligned_face.FACE.IMAGE.jpg or aligned/USER/landmark_aligned_face....",
        "fold_0_data.txt ... fold_4_data.txt",
    ),
    holds=lambda root: holds_name(root, ("faces", "aligned", *FOLD_FILES)),
    samples=samples,
    always={"gender": "fold_0_data.txt ... fold_4_data.txt (or fold_frontal_...)"},
    annotations=lambda root: label_paths(root, (*FOLD_FILES, *FRONTAL_FILES)),
)
