"""Export a result's boxes and outlines as COCO, YOLO or Pascal VOC annotations.

::

    coco    instances_train.json ...      one for each split; "all" without splits
    yolo    labels/PATH.txt, train.txt ..., data.yaml, and images, a link to the result
    voc     Annotations/PATH.xml, ImageSets/Main/train.txt ..., and JPEGImages, a link to the result
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any
from xml.etree import ElementTree

from maskgen.errors import AnnotationError, ConfigurationError, MissingDataError, UsageError
from maskgen.files.atomic import make_folders
from maskgen.files.path_text import from_text
from maskgen.files.remote import is_remote
from maskgen.results.export.shapes import CLASSES, AnnotatedImage, AnnotatedObject, annotated_images
from maskgen.results.run_record import read_record

MARKER = "maskgen-annotations.json"


def write_annotations(
    out: Path, target: Path, form: str, outlines: str | None = None, unmasked: bool = False
) -> int:
    """Write the annotations of a result, replace earlier ones, and return the number of annotated images.

    Args:
        out: An output folder of `maskgen synth`.
        target: A folder outside of ``out``: new, empty, or written by this function; no other is replaced.
        form: One of `FORMATS`. If it cannot hold the outlines or the layout, a `UsageError` says so.
        outlines: "polygon", "rle" or "none"; None for polygons in COCO and boxes elsewhere.
        unmasked: Whether to include the unmasked images of ``--pairs``.
    """
    outlines = outlines or ("polygon" if form == "coco" else "none")
    record = read_record(out)
    packed = (record.get("options") or {}).get("layout") == "webdataset"
    if form != "coco" and (packed or is_remote(out)):
        raise UsageError(f"{form} names loose files; {out} holds none: take coco, or another --layout")
    if (form == "voc" and outlines != "none") or (form == "yolo" and outlines == "rle"):
        raise UsageError(f"{form} cannot hold outlines as {outlines}; coco can")
    if is_remote(target) or target.resolve().is_relative_to(out.resolve() if not is_remote(out) else target):
        raise UsageError(f"{target}: annotations go into a local folder outside of the result")
    if target.exists() and not (target / MARKER).exists() and (target.is_file() or any(target.iterdir())):
        raise ConfigurationError(
            f"{target} holds files that this command has not written; give another --out"
        )
    unfinished = target.with_name(f".{target.name}.maskgen-{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        images = annotated_images(out, packed=packed, unmasked=unmasked)
        count = FORMATS[form](images, unfinished, outlines, record)
        if not count:
            raise MissingDataError(f"{out} holds no masked image")
        if form != "coco":
            link = unfinished / {"yolo": "images", "voc": "JPEGImages"}[form]
            link.symlink_to(os.path.relpath(out.resolve(), target.resolve()), target_is_directory=True)
        (unfinished / MARKER).write_text(json.dumps({"format": form, "pictures": count}) + "\n")
        if target.exists():
            shutil.rmtree(target)
        unfinished.replace(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return count


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


def _write_coco(images: Iterable[AnnotatedImage], folder: Path, outlines: str, record: dict[str, Any]) -> int:
    """Write ``instances_SPLIT.json`` for each split into a folder."""
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


def _write_yolo(images: Iterable[AnnotatedImage], folder: Path, outlines: str, record: dict[str, Any]) -> int:
    """Write ``labels/PATH.txt``, the lists and ``data.yaml`` into a folder."""
    count = 0
    for count, image in enumerate(images, 1):  # noqa: B007
        if "images" in PurePosixPath(image.file_name).parts[:-1]:
            raise UsageError(f"{image.file_name}: YOLO takes a folder 'images' for its own; take coco")
        _add_to_list(folder, image, f"./images/{image.file_name}")
        lines = "".join(_yolo_line(each, image.size_wh, outlines) + "\n" for each in image.objects)
        _write_new(folder / "labels", image.file_name, ".txt", lines.encode())
    present = {"train": "train", "val": "validation", "test": "test"}
    splits = {name: split for name, split in present.items() if (folder / f"{split}.txt").exists()}
    comment = "" if "val" in splits else "# The source has no validation split.\n"
    first = next(iter(splits.values()), "all")
    splits = {"train": first, "val": splits.get("test", first), **splits}
    text = "".join(f"{name}: {split}.txt\n" for name, split in splits.items())
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    (folder / "data.yaml").write_text(f"path: .\n{comment}{text}names:\n{names}")
    return count


def _yolo_line(item: AnnotatedObject, size_wh: tuple[int, int], outlines: str) -> str:
    (x, y, across, down), (width, height) = item.box_xywh, size_wh
    values: list[float] = [(x + across / 2) / width, (y + down / 2) / height, across / width, down / height]
    if outlines == "polygon":
        corners: list[float] = [x, y, x + across, y, x + across, y + down, x, y + down]
        outline = (item.shape.polygons() or [corners])[0] if item.shape else corners
        values = [value / size_wh[place % 2] for place, value in enumerate(outline)]
    shares = (min(max(value, 0.0), 1.0) for value in values)
    return " ".join([str(CLASSES.index(item.category)), *(f"{share:.6g}" for share in shares)])


def _write_voc(images: Iterable[AnnotatedImage], folder: Path, outlines: str, record: dict[str, Any]) -> int:
    """Write ``Annotations/PATH.xml`` and the lists into a folder."""
    lists, count = folder / "ImageSets/Main", 0
    lists.mkdir(parents=True)
    for count, image in enumerate(images, 1):  # noqa: B007
        _add_to_list(lists, image, str(PurePosixPath(image.file_name).with_suffix("")))
        _write_new(folder / "Annotations", image.file_name, ".xml", _voc_xml(image))
    return count


def _voc_xml(image: AnnotatedImage) -> bytes:
    top = ElementTree.Element("annotation")
    path = PurePosixPath(image.file_name)
    _leaves(top, {"folder": str(path.parent), "filename": path.name, "segmented": 0})
    width, height = image.size_wh
    _leaves(ElementTree.SubElement(top, "size"), {"width": width, "height": height, "depth": 3})
    for each in image.objects:
        item = ElementTree.SubElement(top, "object")
        yaw = each.face.pose.get("yaw", 0.0)
        pose = "Frontal" if abs(yaw) < 30 else "Right" if yaw > 0 else "Left"
        x, y, across, down = map(int, each.box_xywh)
        whole = (each.face.box if each.category == "face" else each.face.mask_box)[2:]
        cut = each.shape is None and (across, down) != tuple(whole)
        _leaves(item, {"name": each.category, "pose": pose, "truncated": int(cut), "difficult": 0})
        # VOC counts pixels from 1, and the box includes the last one.
        corners = {"xmin": x + 1, "ymin": y + 1, "xmax": x + across, "ymax": y + down}
        _leaves(ElementTree.SubElement(item, "bndbox"), corners)
    ElementTree.indent(top)
    return bytes(ElementTree.tostring(top, encoding="utf-8", xml_declaration=True))


def _leaves(parent: ElementTree.Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        # XML cannot hold most control characters.
        ElementTree.SubElement(parent, name).text = re.sub("[\0-\x1f]", "\ufffd", str(value))


def _add_to_list(folder: Path, image: AnnotatedImage, line: str) -> None:
    """Add an image to the list of its split."""
    if len(line.splitlines()) != 1:
        raise AnnotationError(f"{image.file_name!r} has a line's end in its name; take coco")
    with (folder / f"{image.row.split or 'all'}.txt").open("ab") as file:
        file.write(os.fsencode(from_text(line)) + b"\n")


def _write_new(folder: Path, place: str, suffix: str, data: bytes) -> None:
    """Write a new file below a folder, with the name of an image; refuse an existing one."""
    path = folder / from_text(str(PurePosixPath(place).with_suffix(suffix)))
    try:
        make_folders(path.parent)
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise AnnotationError(
            f"{place!r}: another image has this name with another suffix, or the name of a folder, and the "
            "format tells them apart by nothing else; take coco"
        ) from error
    except OSError as error:
        raise AnnotationError(f"{place!r} cannot be a file here: {error.strerror}; take coco") from error


# Format -> function that writes the annotations of images into a folder, and returns their number.
FORMATS: dict[str, Callable[[Iterable[AnnotatedImage], Path, str, dict[str, Any]], int]] = {
    "coco": _write_coco,
    "yolo": _write_yolo,
    "voc": _write_voc,
}
