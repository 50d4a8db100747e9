"""Writes a result's boxes and outlines as COCO, YOLO or Pascal VOC have them.

::

    coco    instances_train.json ...      one for each split; "all" where the source has none
    yolo    labels/PATH.txt, train.txt ..., data.yaml, and images, a link to the result
    voc     Annotations/PATH.xml, ImageSets/Main/train.txt ..., and JPEGImages, a link to the result

Each is a function in `FORMATS` from pictures to a folder.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any
from xml.etree import ElementTree

from maskgen.annotations import CLASSES, Found, Picture, pictures
from maskgen.atomic import make_folders
from maskgen.errors import AnnotationError, ConfigurationError, MissingDataError, UsageError
from maskgen.names import name_of
from maskgen.report import read_record
from maskgen.stores import is_remote

OUTLINES = ("polygon", "rle", "none")
MARKER = "maskgen-annotations.json"

Writer = Callable[[Iterable[Picture], Path, str, Mapping[str, Any]], None]


def write_annotations(
    out: Path, target: Path, form: str, outlines: str | None = None, unmasked: bool = False
) -> int:
    """Write the annotations of a result, in place of those that were there.

    Args:
        out: A folder that `maskgen synth` wrote.
        target: A folder for them outside of ``out``: new, empty, or written by this function.
        form: One of `FORMATS`.
        outlines: One of `OUTLINES`; None for polygons in COCO and boxes elsewhere.
        unmasked: Whether the unmasked pictures of ``--pairs`` are in them too.

    Returns:
        How many pictures they describe.

    Raises:
        MissingDataError: There is no finished result.
        UsageError: The format cannot hold what is asked for.
        ConfigurationError: The target holds files of others.
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
    made = target.with_name(f".{target.name}.maskgen-{os.getpid()}")
    made.mkdir(parents=True)
    counted = _Counted(pictures(out, packed=packed, unmasked=unmasked))
    try:
        FORMATS[form](counted, made, outlines, record)
        if not counted.count:
            raise MissingDataError(f"{out} holds no masked picture")
        if form != "coco":
            link = made / {"yolo": "images", "voc": "JPEGImages"}[form]
            link.symlink_to(os.path.relpath(out.resolve(), target.resolve()), target_is_directory=True)
        (made / MARKER).write_text(json.dumps({"format": form, "pictures": counted.count}) + "\n")
        if target.exists():
            shutil.rmtree(target)
        made.replace(target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return counted.count


@dataclass
class _Counted:
    """Counts pictures on their way."""

    of: Iterable[Picture]
    count: int = 0

    def __iter__(self) -> Any:
        for picture in self.of:
            self.count += 1
            yield picture


@dataclass
class _CocoFile:
    """The JSON of one split, of which only the annotations wait in a file of their own."""

    images: IO[str]
    objects: IO[str] = field(default_factory=lambda: TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115
    image_count: int = 0
    object_count: int = 0


def _coco(found: Iterable[Picture], folder: Path, outlines: str, record: Mapping[str, Any]) -> None:
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
        for picture in found:
            split = picture.row.split or "all"
            if split not in files:
                path = folder / f"instances_{split}.json"
                file = _CocoFile(stack.enter_context(path.open("w", encoding="utf-8")))
                stack.enter_context(file.objects)
                file.images.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "images": [')
                files[split] = file
            _add_coco(files[split], picture, outlines)
        for file in files.values():
            file.images.write('\n], "annotations": [')
            file.objects.seek(0)
            shutil.copyfileobj(file.objects, file.images)
            file.images.write("\n]}\n")


def _add_coco(file: _CocoFile, picture: Picture, outlines: str) -> None:
    row, (width, height) = picture.row, picture.size
    file.image_count += 1
    image = {"id": file.image_count, "file_name": picture.file_name, "width": width, "height": height}
    image |= {"license": 1, "source_id": row.id, "variant": row.variant, "label": row.label}
    _append(file.images, image, file.image_count)
    for found in picture.objects:
        file.object_count += 1
        shape, face = found.shape, found.face
        segmentation: Any = []
        if shape and outlines == "polygon":
            segmentation = shape.polygons()
        elif shape and outlines == "rle":
            segmentation = {"size": [height, width], "counts": shape.run_lengths(picture.size)}
        values = {
            "id": file.object_count,
            "image_id": file.image_count,
            "category_id": CLASSES.index(found.category) + 1,
            "bbox": list(found.box),
            "area": shape.area if shape else found.box[2] * found.box[3],
            "iscrowd": 0,
            "segmentation": segmentation,
            "attributes": {"wear": face.wear, "kind": face.kind, "template": face.template, **face.pose},
        }
        _append(file.objects, values, file.object_count)


def _append(file: IO[str], values: Mapping[str, Any], number: int) -> None:
    file.write(("\n" if number == 1 else ",\n") + json.dumps(values, ensure_ascii=False))


def _yolo(found: Iterable[Picture], folder: Path, outlines: str, record: Mapping[str, Any]) -> None:
    with _Lists(folder, "") as lists:
        for picture in found:
            if "images" in PurePosixPath(picture.file_name).parts[:-1]:
                raise UsageError(f"{picture.file_name}: YOLO takes a folder 'images' for its own; take coco")
            lists.add(picture, f"./images/{picture.file_name}")
            lines = "".join(_yolo_line(each, picture.size, outlines) + "\n" for each in picture.objects)
            _write_new(folder / "labels", picture.file_name, ".txt", lines.encode())
    present = {"train": "train", "val": "validation", "test": "test"}
    splits = {name: split for name, split in present.items() if split in lists.names}
    told = "" if "val" in splits else "# The source has no validation split.\n"
    first = next(iter(splits.values()), "all")
    splits = {"train": first, "val": splits.get("test", first), **splits}
    text = "".join(f"{name}: {split}.txt\n" for name, split in splits.items())
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    (folder / "data.yaml").write_text(f"path: .\n{told}{text}names:\n{names}")


def _yolo_line(found: Found, size: tuple[int, int], outlines: str) -> str:
    (x, y, across, down), (width, height) = found.box, size
    values: list[float] = [(x + across / 2) / width, (y + down / 2) / height, across / width, down / height]
    if outlines == "polygon":
        corners: list[float] = [x, y, x + across, y, x + across, y + down, x, y + down]
        outline = (found.shape.polygons() or [corners])[0] if found.shape else corners
        values = [value / size[place % 2] for place, value in enumerate(outline)]
    shares = (min(max(value, 0.0), 1.0) for value in values)
    return " ".join([str(CLASSES.index(found.category)), *(f"{share:.6g}" for share in shares)])


def _voc(found: Iterable[Picture], folder: Path, outlines: str, record: Mapping[str, Any]) -> None:
    with _Lists(folder, "ImageSets/Main") as lists:
        for picture in found:
            lists.add(picture, str(PurePosixPath(picture.file_name).with_suffix("")))
            _write_new(folder / "Annotations", picture.file_name, ".xml", _voc_xml(picture))


def _voc_xml(picture: Picture) -> bytes:
    top = ElementTree.Element("annotation")
    path = PurePosixPath(picture.file_name)
    _leaves(top, {"folder": str(path.parent), "filename": path.name, "segmented": 0})
    width, height = picture.size
    _leaves(ElementTree.SubElement(top, "size"), {"width": width, "height": height, "depth": 3})
    for found in picture.objects:
        thing = ElementTree.SubElement(top, "object")
        yaw = found.face.pose.get("yaw", 0.0)
        pose = "Frontal" if abs(yaw) < 30 else "Right" if yaw > 0 else "Left"
        x, y, across, down = map(int, found.box)
        whole = (found.face.box if found.category == "face" else found.face.mask_box)[2:]
        cut = found.shape is None and (across, down) != tuple(whole)
        _leaves(thing, {"name": found.category, "pose": pose, "truncated": int(cut), "difficult": 0})
        # VOC counts pixels from 1, and the last is in the box.
        corners = {"xmin": x + 1, "ymin": y + 1, "xmax": x + across, "ymax": y + down}
        _leaves(ElementTree.SubElement(thing, "bndbox"), corners)
    ElementTree.indent(top)
    data: bytes = ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)
    return data


def _leaves(parent: ElementTree.Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        text = str(value)
        # What no XML can hold: most control characters.
        ElementTree.SubElement(parent, name).text = "".join(
            letter if letter >= " " else "\ufffd" for letter in text
        )


class _Lists:
    """The lists of pictures, one file for each split."""

    def __init__(self, folder: Path, below: str) -> None:
        self._folder = folder / below
        self._folder.mkdir(parents=True, exist_ok=True)
        self.names: dict[str, IO[bytes]] = {}

    def __enter__(self) -> _Lists:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.names.values():
            file.close()

    def add(self, picture: Picture, line: str) -> None:
        if len(line.splitlines()) != 1:
            raise AnnotationError(f"{picture.file_name!r} has a line's end in its name; take coco")
        split = picture.row.split or "all"
        if split not in self.names:
            self.names[split] = (self._folder / f"{split}.txt").open("wb")
        self.names[split].write(os.fsencode(name_of(line)) + b"\n")


def _write_new(folder: Path, place: str, suffix: str, data: bytes) -> None:
    path = folder / name_of(str(PurePosixPath(place).with_suffix(suffix)))
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


FORMATS: dict[str, Writer] = {"coco": _coco, "yolo": _yolo, "voc": _voc}
