"""Export a result's boxes and outlines as COCO, YOLO or Pascal VOC annotations.

::

    coco    instances_train.json ...      one for each split; "all" without splits
    yolo    labels/PATH.txt, train.txt ..., data.yaml, and images, a link to the result
    voc     Annotations/PATH.xml, ImageSets/Main/train.txt ..., and JPEGImages, a link to the result
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from maskgen.errors import ConfigurationError, MissingDataError, UsageError
from maskgen.files.remote import is_remote
from maskgen.results.export.formats import write_coco, write_voc, write_yolo
from maskgen.results.export.shapes import annotated_images
from maskgen.results.run_record import read_record

MARKER = "maskgen-annotations.json"
# Format -> function that writes the annotations of images into a folder, and returns their number.
FORMATS = {"coco": write_coco, "yolo": write_yolo, "voc": write_voc}


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
