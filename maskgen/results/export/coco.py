"""Write COCO annotations: ``instances_SPLIT.json`` with polygons or run lengths."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from maskgen.results.export.shapes import CLASSES, AnnotatedImage


@dataclass
class _CocoFile:
    """The JSON file of one split, and a temporary file of the annotations that follow its images."""

    images: IO[str]
    objects: IO[str]
    image_count: int = 0
    object_count: int = 0


def write_coco(
    images: Iterable[AnnotatedImage], folder: Path, outlines: str, record: Mapping[str, Any]
) -> None:
    """Write the COCO files of these images into a folder."""
    source = record.get("source") or {}
    head = {
        "info": {"description": f"{source.get('title')}, masked by maskgen: synthetic edits of real people"},
        "licenses": [{"id": 1, "name": source.get("licence"), "url": source.get("homepage")}],
        "categories": [
            {"id": number, "name": name, "supercategory": name.partition("-")[0]}
            for number, name in enumerate(CLASSES, 1)
        ],
    }
    with ExitStack() as stack:
        files: dict[str, _CocoFile] = {}
        for image in images:
            split = image.row.split or "all"
            if split not in files:
                path = folder / f"instances_{split}.json"
                files[split] = _CocoFile(
                    stack.enter_context(path.open("w", encoding="utf-8")),
                    stack.enter_context(TemporaryFile("w+", encoding="utf-8")),
                )
                files[split].images.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "images": [')
            _add_image(files[split], image, outlines)
        for file in files.values():
            file.images.write('\n], "annotations": [')
            file.objects.seek(0)
            shutil.copyfileobj(file.objects, file.images)
            file.images.write("\n]}\n")


def _add_image(file: _CocoFile, image: AnnotatedImage, outlines: str) -> None:
    row, (width, height) = image.row, image.size_wh
    file.image_count += 1
    entry = {"id": file.image_count, "file_name": image.file_name, "width": width, "height": height}
    entry |= {"license": 1, "source_id": row.id, "variant": row.variant, "label": row.label}
    _append(file.images, entry, file.image_count)
    for each in image.objects:
        file.object_count += 1
        shape, face = each.shape, each.face
        segmentation: Any = []
        if shape and outlines == "polygon":
            segmentation = shape.polygons()
        elif shape and outlines == "rle":
            segmentation = {"size": [height, width], "counts": shape.run_lengths(image.size_wh)}
        values = {
            "id": file.object_count,
            "image_id": file.image_count,
            "category_id": CLASSES.index(each.category) + 1,
            "bbox": list(each.box_xywh),
            "area": int(shape.pixels.sum()) if shape else each.box_xywh[2] * each.box_xywh[3],
            "iscrowd": 0,
            "segmentation": segmentation,
            "attributes": {"wear": face.wear, "kind": face.kind, "template": face.template, **face.pose},
        }
        _append(file.objects, values, file.object_count)


def _append(file: IO[str], values: Mapping[str, Any], number: int) -> None:
    file.write(("\n" if number == 1 else ",\n") + json.dumps(values, ensure_ascii=False))
