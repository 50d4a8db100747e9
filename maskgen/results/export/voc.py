"""Pascal VOC: ``Annotations/PATH.xml`` and the lists of images of each split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from maskgen.results.export.file_lists import FileLists, write_new
from maskgen.results.export.shapes import AnnotatedImage


def write_voc(
    found: Iterable[AnnotatedImage], folder: Path, outlines: str, record: Mapping[str, Any]
) -> None:
    """Write the Pascal VOC files of these images into a folder."""
    with FileLists(folder, "ImageSets/Main") as lists:
        for picture in found:
            lists.add(picture, str(PurePosixPath(picture.file_name).with_suffix("")))
            write_new(folder / "Annotations", picture.file_name, ".xml", _voc_xml(picture))


def _voc_xml(picture: AnnotatedImage) -> bytes:
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
