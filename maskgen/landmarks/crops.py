"""Crops of an image for the landmark model, each with the map of its points back to the image.

*Convention*: a crop shows the image's pixel (x, y) at ``matrix @ (x, y, 1)``; pixel centres are at whole
numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.face_mesh import bounds
from maskgen.records import Box, Image

Points = NDArray[np.float64]

# Longest side of a whole image. The models reduce it to at most 256 pixels.
WHOLE = 1024
# Side of a close-up. The model reads the face, about half of it, at 192 pixels.
CLOSE = 320


@dataclass(frozen=True, eq=False)
class Crop:
    """A (height, width, 3) uint8 BGR crop of an image.

    ``matrix`` is (2, 3) float64 from the whole image to the crop: a similarity, apart from rounding.
    """

    image: Image
    matrix: NDArray[np.float64]

    @property
    def scale(self) -> float:
        """Pixels of the crop per pixel of the image."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    def mirrored(self) -> Crop:
        """The mirror image of the crop."""
        last = self.image.shape[1] - 1
        matrix = np.array([[0, 0, last], [0, 0, 0]]) + self.matrix * [[-1], [1]]
        return Crop(np.ascontiguousarray(self.image[:, ::-1]), matrix)

    def to_image(self, points: Points) -> Points:
        """(n, 3) points of the crop as points of the image; z is scaled as x and y."""
        (across, skewed, left), (turned, down, top) = self.matrix.tolist()
        if (across, skewed, turned, down) == (1.0, 0.0, 0.0, 1.0):
            return points - (left, top, 0.0)
        back = cv2.invertAffineTransform(self.matrix)
        in_image = points / self.scale
        in_image[:, :2] = points[:, :2] @ back[:, :2].T + back[:, 2]
        return in_image

    def box_to_image(self, box: Box) -> Box:
        """A box of a crop that is not turned as a box of the image."""
        left, top = ((np.array(box[:2]) - self.matrix[:, 2]) / self.scale).tolist()
        return (left, top, box[2] / self.scale, box[3] / self.scale)

    def box_to_view(self, box: Box) -> Box:
        """A box of the image as one of a crop turned by quarters of a turn."""
        x, y, width, height = box
        corners = np.array([(x, y), (x + width, y + height)]) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return box_of(corners)


def whole(image: Image, longest: int = WHOLE) -> Crop:
    """The whole image, downscaled to a longer side of at most ``longest`` pixels."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1.0:
        return Crop(image, np.eye(2, 3))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Averaged: the models sample single pixels, and a large photograph would show moiré.
    smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # The two scales differ slightly, because the size is in whole pixels. The image's corner stays in its
    # place, half a pixel before the first pixel's centre.
    across, down = size[0] / width, size[1] / height
    matrix = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])
    return Crop(smaller.astype(np.uint8, copy=False), matrix)


def square(view: Crop, margin: float = 0.0, border: int = cv2.BORDER_REPLICATE) -> Crop:
    """Pad a crop to a square, and by a margin on all sides, which is a share of the longer side.

    With ``cv2.BORDER_REPLICATE`` the mesh of a face cut off by the image's edge is better by a third; with
    ``cv2.BORDER_CONSTANT``, black, the detector finds more of the faces that fill the image.
    """
    height, width = view.image.shape[:2]
    side = max(height, width) + 2 * round(max(height, width) * margin)
    if side == height == width:
        return view
    top, left = (side - height) // 2, (side - width) // 2
    canvas = cv2.copyMakeBorder(view.image, top, side - height - top, left, side - width - left, border)
    return Crop(canvas.astype(np.uint8, copy=False), view.matrix + np.array([[0, 0, left], [0, 0, top]]))


def close_up(
    image: Image,
    center: Points,
    side: float,
    degrees: float = 0.0,
    border: int = cv2.BORDER_REPLICATE,
    pixels: int = CLOSE,
) -> Crop:
    """A square of the image around ``center``, its side in pixels, with a clockwise roll undone.

    ``pixels`` is the side of the crop.
    """
    base = _reduced_around(image, center, side, pixels)
    middle = base.matrix @ (*center, 1.0)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle.tolist(), degrees, pixels / (side * base.scale)))
    matrix[:, 2] = matrix[:, 2] + (pixels - 1) / 2 - middle
    turned = cv2.warpAffine(base.image, matrix, (pixels, pixels), flags=cv2.INTER_LINEAR, borderMode=border)
    return Crop(turned.astype(np.uint8, copy=False), matrix @ np.vstack([base.matrix, (0, 0, 1)]))


def _reduced_around(image: Image, center: Points, side: float, pixels: int) -> Crop:
    """The part of the image for a close-up, downscaled first if needed: `cv2.warpAffine` does not average."""
    if side <= 2 * pixels:
        return Crop(image, np.eye(2, 3))
    last = (image.shape[1] - 1, image.shape[0] - 1)
    left, top = (int(value) for value in np.clip(center - side * 0.75, 0, last))
    right, bottom = (int(value) + 1 for value in np.clip(center + side * 0.75, 0, last))
    part = image[top:bottom, left:right]
    smaller = whole(part, max(1, round(max(part.shape[:2]) * 1.5 * pixels / side)))
    return Crop(smaller.image, smaller.matrix @ [[1, 0, -left], [0, 1, -top], [0, 0, 1]])


def tiles(image: Image, side: int) -> list[Crop]:
    """Square tiles over the whole image; neighbours overlap by half."""
    height, width = image.shape[:2]
    return [
        Crop(image[y : y + side, x : x + side], np.array([[1.0, 0, -x], [0, 1.0, -y]]))
        for y in _starts(height, side)
        for x in _starts(width, side)
    ]


def _starts(length: int, side: int) -> list[int]:
    count = max(-(-2 * (length - side) // side), 0) + 1
    return [round(place) for place in np.linspace(0, max(length - side, 0), count)]


def box_of(points: Points) -> Box:
    """The bounding box of points, in pixels."""
    left, top, right, bottom = bounds(points)
    return (left, top, right - left, bottom - top)


def same_place(one: Box, other: Box) -> bool:
    """Whether two boxes show one face: their centres are near and their sizes are similar."""
    smaller, larger = sorted((max(one[2:]), max(other[2:])))
    centers = [(x + width / 2, y + height / 2) for x, y, width, height in (one, other)]
    return math.dist(*centers) < 0.45 * smaller and larger < 2.5 * smaller


def distinct_boxes(boxes: Iterable[Box]) -> list[Box]:
    """The boxes without duplicates: the first box of each face."""
    kept: list[Box] = []
    for box in boxes:
        if not any(same_place(box, other) for other in kept):
            kept.append(box)
    return kept


def largest_first(boxes: Iterable[Box]) -> list[Box]:
    """The boxes in an order that depends on nothing but them."""
    return sorted(boxes, key=lambda box: (-box[2] * box[3], box))
