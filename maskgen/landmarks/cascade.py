"""Finding faces by asking again, each time in an easier way, only when the last found nothing.

=================  ==========================================================================
step               what is looked at
=================  ==========================================================================
as-is              the image, as it is (one call of the model: all that most faces ever cost)
low-confidence     the same, with the model's thresholds lowered
padded             with a black border, for crops so tight that the face touches the edge
full-range         where the full-range detector sees a face: small ones, turned ones
box                the boxes the dataset marks, instead of all of the above
haar               the boxes of OpenCV's Haar cascades, likewise, where they are chosen
tiles              part after part of a large image, for faces that are tiny in it; all parts where
                   every face is wanted
=================  ==========================================================================

Whatever comes from a lowered threshold has to pass two more looks (`maskgen.landmarks.plausibility`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.landmarks import plausibility as gate
from maskgen.landmarks.crops import (
    Crop,
    Points,
    box_of,
    close_up,
    distinct_boxes,
    same_place,
    square,
    tiles,
    whole,
)
from maskgen.landmarks.haar import haar_boxes
from maskgen.records import Box, Image


@dataclass(frozen=True)
class Level:
    """How sure the models have to be: of a face being there, of the mesh sitting on it, of a face's place."""

    detection: float
    presence: float
    location: float


CONFIDENT = Level(0.5, 0.5, 0.5)
TENTATIVE = Level(0.2, 0.2, 0.3)

PAD_MARGINS = (0.15, 0.5)
# Sides of a view of one face, in sides of its box.
CLOSE_SIDES = (2.0, 1.6)
SMALLEST_BOX = 16.0
# Into how many parts a group image's longer side is cut, one time after the other.
TILE_PARTS = (2, 4, 8)
SMALLEST_TILE = 240


class Engine(Protocol):
    """A landmark model; see `maskgen.landmarks.bundled.BundledEngine`.

    Attributes:
        is_sure: Whether a mesh it finds with confidence needs no second look unless it is doubtful.
        largest_disagreement: By how much its looks at one face may differ at most, in eye distances.
    """

    is_sure: bool
    largest_disagreement: float

    def meshes(self, image: Image, *, confident: bool = True, many: bool = False) -> list[Points]:
        """Face meshes of `image` in its pixels, (468, 3) each."""

    def locate(self, image: Image) -> list[Box]:
        """Boxes of faces, small ones too; empty where the model has no such detector."""

    def close(self) -> None:
        """Close the models."""


class Cascade:
    """`maskgen.landmarks.FaceLandmarker` on an engine.

    Args:
        engine: The landmark model; closed with the cascade.
        detector: "mediapipe" for the steps of this module, "haar" for OpenCV's boxes instead.
    """

    def __init__(self, engine: Engine, detector: str = "mediapipe") -> None:
        self._engine = engine
        self._detector = detector

    def find(
        self,
        image: Image,
        *,
        boxes: Sequence[Box] = (),
        sample_id: str | None = None,
        every_face: bool = False,
    ) -> list[Landmarks]:
        """As `maskgen.landmarks.FaceLandmarker.find`.

        With `boxes`, and with Haar's, only faces in them are found: a face elsewhere is not the one marked.
        Without `every_face` the largest box that holds a face ends the search.
        """
        if boxes:
            return self._in_boxes(image, boxes, "box", every_face)
        if self._detector == "haar":
            return self._in_boxes(image, haar_boxes(image), "haar", every_face)
        found = self._everywhere(image) if every_face else []
        steps: tuple[Callable[[Image], list[Landmarks]], ...] = (
            self._as_is,
            self._low_confidence,
            self._padded,
            self._full_range,
            self._in_tiles,
        )
        for step in steps[1:] if every_face else steps:
            found = found or step(image)
        return found

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def _as_is(self, image: Image, many: bool = False) -> list[Landmarks]:
        view = whole(image)
        meshes = self._meshes(square(view), many=many)
        faces: list[Landmarks] = []
        for points in meshes:
            shape = gate.shape_of(points, _size(image))
            if gate.refusal(shape):
                continue
            if not self._engine.is_sure or gate.doubtful(shape, _size(image)):
                faces += self._closer(image, points, "as-is")
            else:
                faces.append(_landmarks(image, self._right_way_up(image, points, "as-is"), "as-is"))
        return _distinct(faces)

    def _low_confidence(self, image: Image) -> list[Landmarks]:
        return self._first_closer(image, [square(whole(image))], "low-confidence")

    def _padded(self, image: Image) -> list[Landmarks]:
        views = (square(whole(image), margin, cv2.BORDER_CONSTANT) for margin in PAD_MARGINS)
        return self._first_closer(image, views, "padded")

    def _full_range(self, image: Image) -> list[Landmarks]:
        view = square(whole(image), PAD_MARGINS[-1], cv2.BORDER_CONSTANT)
        return self._in_boxes(
            image, self._located(square(whole(image))) + self._located(view), "full-range", False
        )

    def _in_tiles(self, image: Image) -> list[Landmarks]:
        for parts in TILE_PARTS[:2]:
            places = distinct_boxes(self._tile_places(image, parts))
            if faces := self._in_boxes(image, places, "tiles", False):
                return faces
        return []

    def _everywhere(self, image: Image) -> list[Landmarks]:
        faces = self._as_is(image, many=True)
        places = self._located(square(whole(image)))
        for parts in TILE_PARTS:
            places += self._tile_places(image, parts)
        new = [box for box in places if not any(same_place(box, face.box) for face in faces)]
        return _distinct(faces + self._in_boxes(image, distinct_boxes(new), "tiles", True))

    def _tile_places(self, image: Image, parts: int) -> list[Box]:
        side = max(image.shape[:2]) // parts
        cut = tiles(image, side) if side >= SMALLEST_TILE else []
        return [tile.box_to_image(box) for tile in cut for box in self._located(square(whole(tile.image)))]

    def _in_boxes(self, image: Image, boxes: Sequence[Box], step: str, every_face: bool) -> list[Landmarks]:
        """The face in each box, the largest box first; without `every_face` only the first that is found."""
        faces: list[Landmarks] = []
        for box in sorted(boxes, key=lambda box: (-box[2] * box[3], box)):
            if box[2] * box[3] < SMALLEST_BOX**2 or (faces and not every_face):
                break
            faces += self._in_box(image, box, step)
        return _distinct(faces)

    def _in_box(self, image: Image, box: Box, step: str) -> list[Landmarks]:
        center = np.array((box[0] + box[2] / 2, box[1] + box[3] / 2))
        for border in (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT):
            for sides in CLOSE_SIDES:
                view = close_up(image, center, max(box[2:]) * sides, border=border)
                for points in self._meshes(view, confident=False):
                    if same_place(box, box_of(points)) and (face := self._closer(image, points, step)):
                        return face
        return []

    def _first_closer(
        self, image: Image, views: Sequence[Crop] | Iterator[Crop], step: str
    ) -> list[Landmarks]:
        for view in views:
            for points in self._meshes(view, confident=False):
                if face := self._closer(image, points, step):
                    return face
        return []

    def _closer(self, image: Image, points: Points, step: str) -> list[Landmarks]:
        """The face at `points`, looked at again from near, if that look and its mirror image agree with it.

        Returns:
            One face with the points of the near look, which are better for a small face, or none.
        """
        shape = gate.shape_of(points, _size(image))
        if gate.refusal(shape):
            return []
        allowed = min(gate.largest_disagreement(shape, _size(image)), self._engine.largest_disagreement)
        for border in (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT):
            for again, apart in self._looks(image, points, border):
                if apart <= allowed and not gate.refusal(gate.shape_of(again, _size(image))):
                    return [_landmarks(image, self._right_way_up(image, again, step), step)]
        return []

    def _looks(self, image: Image, points: Points, border: int) -> Iterator[tuple[Points, float]]:
        """Looks from near: the mesh of each, and how far it, its mirror image and ``points`` are apart."""
        view = _close_up(image, points, gate.shape_of(points, _size(image)).roll, border)
        for again in self._meshes(view, confident=False):
            for mirrored in self._meshes_of_mirrored(view):
                apart = max(
                    gate.disagreement(points, again),
                    gate.mirrored_disagreement(points, mirrored),
                    gate.mirrored_disagreement(again, mirrored),
                )
                yield again, apart

    def _right_way_up(self, image: Image, points: Points, step: str) -> Points:
        """The mesh, or that of the face turned by 180 degrees where looks at it agree better.

        Looks at a face held to within .04 eye distances, those at a face upside down differed by .1 and more
        (28 faces of LFW, CelebA and UTKFace). A look costs as much as finding the face did, so a face found
        as it is gets one only when its light is doubtful.
        """
        if step == "as-is" and gate.uprightness(image, points) >= gate.DOUBTFUL_UPRIGHT:
            return points
        view = _close_up(image, points, gate.shape_of(points, _size(image)).roll + 180, cv2.BORDER_REPLICATE)
        for turned in self._meshes(view):
            refused = gate.refusal(gate.shape_of(turned, _size(image)))
            if not refused and self._wavering(image, turned) < self._wavering(image, points):
                return turned
        return points

    def _wavering(self, image: Image, points: Points) -> float:
        """How far looks at a face are apart, in eye distances; infinite where they do not find it."""
        return min((apart for _, apart in self._looks(image, points, cv2.BORDER_REPLICATE)), default=math.inf)

    def _meshes(self, view: Crop, *, confident: bool = True, many: bool = False) -> list[Points]:
        return [
            view.to_image(points)
            for points in self._engine.meshes(view.image, confident=confident, many=many)
        ]

    def _meshes_of_mirrored(self, view: Crop) -> list[Points]:
        flipped = np.ascontiguousarray(view.image[:, ::-1])
        meshes = self._engine.meshes(flipped, confident=False)
        last = view.image.shape[1] - 1
        return [view.to_image(points * (-1, 1, 1) + (last, 0, 0)) for points in meshes]

    def _located(self, view: Crop) -> list[Box]:
        return [view.box_to_image(box) for box in self._engine.locate(view.image)]


def _close_up(image: Image, points: Points, roll: float, border: int) -> Crop:
    """A face from near, turned upright by its roll in degrees."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return close_up(image, (low + high) / 2, float((high - low).max()) * CLOSE_SIDES[0], roll, border)


def _landmarks(image: Image, points: Points, step: str) -> Landmarks:
    return Landmarks(points.astype(np.float32), _size(image), step)


def _size(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _distinct(faces: Sequence[Landmarks]) -> list[Landmarks]:
    """Each face once, the first found of it, largest first."""
    if len(faces) < 2:
        return list(faces)
    kept: list[Landmarks] = []
    for face in faces:
        if not any(same_place(face.box, other.box) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: (-face.box[2] * face.box[3], face.box))
