"""YOLO: ``labels/PATH.txt``, the lists of images of each split, and ``data.yaml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from maskgen.errors import UsageError
from maskgen.results.export.file_lists import FileLists, write_new
from maskgen.results.export.shapes import CLASSES, AnnotatedImage, AnnotatedObject


def write_yolo(
    found: Iterable[AnnotatedImage], folder: Path, outlines: str, record: Mapping[str, Any]
) -> None:
    """Write the YOLO files of these images into a folder."""
    with FileLists(folder, "") as lists:
        for picture in found:
            if "images" in PurePosixPath(picture.file_name).parts[:-1]:
                raise UsageError(f"{picture.file_name}: YOLO takes a folder 'images' for its own; take coco")
            lists.add(picture, f"./images/{picture.file_name}")
            lines = "".join(_yolo_line(each, picture.size, outlines) + "\n" for each in picture.objects)
            write_new(folder / "labels", picture.file_name, ".txt", lines.encode())
    present = {"train": "train", "val": "validation", "test": "test"}
    splits = {name: split for name, split in present.items() if split in lists.names}
    told = "" if "val" in splits else "# The source has no validation split.\n"
    first = next(iter(splits.values()), "all")
    splits = {"train": first, "val": splits.get("test", first), **splits}
    text = "".join(f"{name}: {split}.txt\n" for name, split in splits.items())
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    (folder / "data.yaml").write_text(f"path: .\n{told}{text}names:\n{names}")


def _yolo_line(found: AnnotatedObject, size: tuple[int, int], outlines: str) -> str:
    (x, y, across, down), (width, height) = found.box, size
    values: list[float] = [(x + across / 2) / width, (y + down / 2) / height, across / width, down / height]
    if outlines == "polygon":
        corners: list[float] = [x, y, x + across, y, x + across, y + down, x, y + down]
        outline = (found.shape.polygons() or [corners])[0] if found.shape else corners
        values = [value / size[place % 2] for place, value in enumerate(outline)]
    shares = (min(max(value, 0.0), 1.0) for value in values)
    return " ".join([str(CLASSES.index(found.category)), *(f"{share:.6g}" for share in shares)])
