"""Boxes and outlines of the faces and masks in a result, for detection and segmentation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskgen.errors import AnnotationError, MissingDataError, UnreadableImageError
from maskgen.images.codec import decode
from maskgen.records import WEARS, Box, FaceRecord, Image, ManifestRow
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import ResultFiles

UNCLEAR = "mask-unclear"  # a mask whose measured coverage contradicts its wear
CLASSES = ("face", *(f"mask-{wear}" for wear in WEARS), UNCLEAR)
SOLID = 128  # the lowest alpha of mask pixels


@dataclass(frozen=True, eq=False)
class Shape:
    """The pixels of one mask: (height, width) bool of their bounding rectangle, and its top left (x, y)."""

    pixels: Image
    origin: tuple[int, int]

    def polygons(self) -> list[list[float]]:
        """Outlines along the outer pixel edges as x1, y1, x2, y2, ..., largest first; holes are filled."""
        # findContours goes through pixel centres: at twice the size it goes nearly along their edges.
        large = np.pad(self.pixels.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1), 1)
        contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outlines = sorted((each for each in contours if len(each) >= 3), key=cv2.contourArea, reverse=True)
        x, y = self.origin
        return [[round(float(v), 2) for v in ((each[:, 0] - 0.5) / 2 + (x, y)).ravel()] for each in outlines]

    def run_lengths(self, size_wh: tuple[int, int]) -> list[int]:
        """COCO's uncompressed run lengths of 0 and 1 in turn, along the columns of the whole image."""
        columns = np.zeros(size_wh, np.uint8)
        (x, y), (height, width) = self.origin, self.pixels.shape
        columns[x : x + width, y : y + height] = self.pixels.T
        flat = columns.ravel()
        ends = np.flatnonzero(np.diff(flat)) + 1
        lengths = np.diff([0, *ends.tolist(), flat.size]).tolist()
        return [0, *lengths] if flat[0] else lengths


@dataclass(frozen=True)
class AnnotatedObject:
    """One object of `CLASSES`: a face, or a mask with its wearer's face and, by an alpha file, its shape."""

    category: str
    box_xywh: Box  # clipped to the image
    face: FaceRecord
    shape: Shape | None = None


@dataclass(frozen=True)
class AnnotatedImage:
    """One image with its objects."""

    file_name: str
    size_wh: tuple[int, int]
    row: ManifestRow
    objects: tuple[AnnotatedObject, ...]


def annotated_images(out: Path, *, packed: bool, unmasked: bool = False) -> Iterator[AnnotatedImage]:
    """Every masked image of a result, in the order of the manifest.

    ``packed`` results have their images in tars. ``unmasked`` adds those of ``--pairs``, with faces only.
    A `MissingDataError` if an alpha is absent, an `AnnotationError` if it has the wrong size, cannot be
    decoded, or lies outside the result.
    """
    files = ResultFiles(out, packed)
    for row in read_manifest(out / "manifest.jsonl"):
        if row.file_name is None or row.width is None or row.height is None:
            continue
        size, alpha = (row.width, row.height), _alpha(row, files)
        faces = [AnnotatedObject("face", box, face) for face in row.faces if (box := _clip(face.box, size))]
        masks = [mask for face in row.faces if (mask := _mask(face, alpha, size))]
        yield AnnotatedImage(row.file_name, size, row, (*faces, *masks))
        if unmasked and row.unmasked_file and row.variant == 0:
            yield AnnotatedImage(row.unmasked_file, size, row, tuple(faces))


def _alpha(row: ManifestRow, files: ResultFiles) -> Image | None:
    """The alpha file: (height, width) uint8 of the whole image."""
    place = row.faces[0].alpha_file if row.faces else None
    if place is None:
        return None
    try:
        alpha: Image = decode(files.read(place)).bgr[..., 0]
    except FileNotFoundError as error:
        raise MissingDataError(f"{place} is gone; `maskgen verify` says what else is") from error
    except (OSError, UnreadableImageError) as error:
        raise AnnotationError(f"{place}: {error}") from error
    if alpha.shape != (row.height, row.width):
        size_wh = row.width, row.height
        raise AnnotationError(f"{place}: {alpha.shape[::-1]} pixels, the manifest says {size_wh}")
    return alpha


def _mask(face: FaceRecord, alpha: Image | None, size_wh: tuple[int, int]) -> AnnotatedObject | None:
    category = f"mask-{face.wear}" if face.wear_agrees else UNCLEAR
    box_xywh = _clip(face.mask_box, size_wh)
    if box_xywh is None:
        return None
    if alpha is None:
        return AnnotatedObject(category, box_xywh, face)
    x, y, width, height = map(int, box_xywh)
    solid = (alpha[y : y + height, x : x + width] >= SOLID).astype(np.uint8)
    left, top, across, down = cv2.boundingRect(solid)
    if not across:
        return None
    pixels = np.ascontiguousarray(solid[top : top + down, left : left + across])
    origin = (x + left, y + top)
    return AnnotatedObject(category, (*origin, across, down), face, Shape(pixels, origin))


def _clip(box_xywh: tuple[int, int, int, int], size_wh: tuple[int, int]) -> Box | None:
    x, y, width, height = box_xywh
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, size_wh[0]), min(y + height, size_wh[1])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None
