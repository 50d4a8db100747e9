"""Write COCO annotations: ``instances_SPLIT.json`` with polygons or run lengths."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from maskgen.results.export.shapes import CLASSES, AnnotatedImage


class _Items:
    """The items of a JSON list in a file, numbered from 1."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.count = file, 0

    def add(self, values: Mapping[str, Any]) -> int:
        """Append an item, and return its id."""
        self.count += 1
        item = json.dumps({"id": self.count, **values}, ensure_ascii=False)
        self.file.write(("\n" if self.count == 1 else ",\n") + item)
        return self.count


def write_coco(images: Iterable[AnnotatedImage], folder: Path, outlines: str, record: dict[str, Any]) -> int:
    """Write a COCO file for each split into a folder; returns the number of images."""
    source = record.get("source") or {}
    head = {
        "info": {"description": f"{source.get('title')}, masked by maskgen: synthetic edits of real people"},
        "licenses": [{"id": 1, "name": source.get("licence"), "url": source.get("homepage")}],
        "categories": [
            {"id": number, "name": name, "supercategory": name.partition("-")[0]}
            for number, name in enumerate(CLASSES, 1)
        ],
    }
    splits: dict[str, tuple[_Items, _Items]] = {}
    with ExitStack() as stack:
        for image in images:
            split = image.row.split or "all"
            if split not in splits:
                file = stack.enter_context((folder / f"instances_{split}.json").open("w", encoding="utf-8"))
                file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "images": [')
                # Annotations come after all images of their file.
                annotations = stack.enter_context(TemporaryFile("w+", encoding="utf-8"))
                splits[split] = _Items(file), _Items(annotations)
            _add_image(*splits[split], image, outlines)
        for listed, objects in splits.values():
            listed.file.write('\n], "annotations": [')
            objects.file.seek(0)
            shutil.copyfileobj(objects.file, listed.file)
            listed.file.write("\n]}\n")
    return sum(listed.count for listed, _ in splits.values())


def _add_image(images: _Items, objects: _Items, image: AnnotatedImage, outlines: str) -> None:
    row, (width, height) = image.row, image.size_wh
    entry = {"file_name": image.file_name, "width": width, "height": height, "license": 1}
    number = images.add({**entry, "source_id": row.id, "variant": row.variant, "label": row.label})
    for each in image.objects:
        shape, face = each.shape, each.face
        segmentation: Any = []
        if shape and outlines == "polygon":
            segmentation = shape.polygons()
        elif shape and outlines == "rle":
            segmentation = {"size": [height, width], "counts": shape.run_lengths(image.size_wh)}
        objects.add(
            {
                "image_id": number,
                "category_id": CLASSES.index(each.category) + 1,
                "bbox": list(each.box_xywh),
                "area": int(shape.pixels.sum()) if shape else each.box_xywh[2] * each.box_xywh[3],
                "iscrowd": 0,
                "segmentation": segmentation,
                "attributes": {"wear": face.wear, "kind": face.kind, "template": face.template, **face.pose},
            }
        )
