"""Write YOLO annotations: ``labels/PATH.txt``, the image lists of each split, and ``data.yaml``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from maskgen.errors import UsageError
from maskgen.results.export.file_lists import ImageLists, write_new
from maskgen.results.export.shapes import CLASSES, AnnotatedImage, AnnotatedObject


def write_yolo(images: Iterable[AnnotatedImage], folder: Path, outlines: str, record: dict[str, Any]) -> None:
    """Write the YOLO files of these images into a folder."""
    with ImageLists(folder) as lists:
        for image in images:
            if "images" in PurePosixPath(image.file_name).parts[:-1]:
                raise UsageError(f"{image.file_name}: YOLO takes a folder 'images' for its own; take coco")
            lists.add(image, f"./images/{image.file_name}")
            lines = "".join(_yolo_line(each, image.size_wh, outlines) + "\n" for each in image.objects)
            write_new(folder / "labels", image.file_name, ".txt", lines.encode())
    present = {"train": "train", "val": "validation", "test": "test"}
    splits = {name: split for name, split in present.items() if split in lists.files}
    comment = "" if "val" in splits else "# The source has no validation split.\n"
    first = next(iter(splits.values()), "all")
    splits = {"train": first, "val": splits.get("test", first), **splits}
    text = "".join(f"{name}: {split}.txt\n" for name, split in splits.items())
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    (folder / "data.yaml").write_text(f"path: .\n{comment}{text}names:\n{names}")


def _yolo_line(item: AnnotatedObject, size_wh: tuple[int, int], outlines: str) -> str:
    (x, y, across, down), (width, height) = item.box_xywh, size_wh
    values: list[float] = [(x + across / 2) / width, (y + down / 2) / height, across / width, down / height]
    if outlines == "polygon":
        corners: list[float] = [x, y, x + across, y, x + across, y + down, x, y + down]
        outline = (item.shape.polygons() or [corners])[0] if item.shape else corners
        values = [value / size_wh[place % 2] for place, value in enumerate(outline)]
    shares = (min(max(value, 0.0), 1.0) for value in values)
    return " ".join([str(CLASSES.index(item.category)), *(f"{share:.6g}" for share in shares)])
