"""Write Pascal VOC annotations: ``Annotations/PATH.xml`` and the image lists of each split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from maskgen.results.export.file_lists import ImageLists, write_new
from maskgen.results.export.shapes import AnnotatedImage


def write_voc(images: Iterable[AnnotatedImage], folder: Path, outlines: str, record: dict[str, Any]) -> None:
    """Write the Pascal VOC files of these images into a folder."""
    with ImageLists(folder / "ImageSets/Main") as lists:
        for image in images:
            lists.add(image, str(PurePosixPath(image.file_name).with_suffix("")))
            write_new(folder / "Annotations", image.file_name, ".xml", _voc_xml(image))


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
