"""Detection cascade: each step searches an easier view and runs only if the steps before found nothing.

=================  ==========================================================================
step               view
=================  ==========================================================================
as-is              the whole image (one call of the model; enough for most faces)
low-confidence     the whole image, with lower thresholds of the model
padded             the image with a black border, for tight crops whose face touches the edge
full-range         the boxes of the full-range detector: small or turned faces
box                the boxes of the dataset, instead of all steps above
haar               the boxes of OpenCV's Haar cascades, instead of all steps above, if chosen
tiles              tiles of a large image, for faces that are tiny in it; all tiles if every face
                   is wanted
=================  ==========================================================================

A face found with lower thresholds must pass two further looks (`maskgen.landmarks.plausibility`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.landmarks import plausibility
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
from maskgen.landmarks.engine import Engine, Mesh
from maskgen.landmarks.haar import haar_boxes
from maskgen.records import Box, Image

PAD_MARGINS = (0.15, 0.5)
# Sides of a close-up of one face, in sides of its box.
CLOSE_SIDES = (2.0, 1.6)
SMALLEST_BOX = 16.0
# Numbers of tiles along the longer side of an image, tried one after the other.
TILE_PARTS = (2, 4, 8)
SMALLEST_TILE = 240


class Cascade:
    """`maskgen.landmarks.FaceLandmarker` on an engine.

    Args:
        engine: The landmark model; the cascade closes it.
        detector: "mediapipe" for the steps of this module, "haar" for the boxes of OpenCV's Haar cascades.
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
        """See `maskgen.landmarks.FaceLandmarker.find`.

        With ``boxes``, or the boxes of Haar cascades, only faces in them are found. Without ``every_face``
        the search ends at the largest box that contains a face.
        """
        if boxes:
            return self._in_boxes(image, boxes, "box", every_face)
        if self._detector == "haar":
            return self._in_boxes(image, haar_boxes(image), "haar", every_face)
        faces = self._everywhere(image) if every_face else []
        steps: tuple[Callable[[Image], list[Landmarks]], ...] = (
            self._as_is,
            self._low_confidence,
            self._padded,
            self._full_range,
            self._in_tiles,
        )
        for step in steps[1:] if every_face else steps:
            faces = faces or step(image)
        return faces

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def _as_is(self, image: Image, many: bool = False) -> list[Landmarks]:
        faces: list[Landmarks] = []
        for mesh in self._meshes(square(whole(image)), many=many):
            shape = plausibility.shape_of(mesh.points, _size(image))
            if plausibility.refusal(shape):
                continue
            if not self._engine.is_sure or plausibility.doubtful(shape, _size(image)):
                faces += self._closer(image, mesh, "as-is")
            else:
                faces.append(_landmarks(image, self._right_way_up(image, mesh, "as-is"), "as-is"))
        return _distinct(faces)

    def _low_confidence(self, image: Image) -> list[Landmarks]:
        return self._first_closer(image, [square(whole(image))], "low-confidence")

    def _padded(self, image: Image) -> list[Landmarks]:
        views = (square(whole(image), margin, cv2.BORDER_CONSTANT) for margin in PAD_MARGINS)
        return self._first_closer(image, views, "padded")

    def _full_range(self, image: Image) -> list[Landmarks]:
        view = square(whole(image), PAD_MARGINS[-1], cv2.BORDER_CONSTANT)
        return self._in_boxes(
            image, self._boxes(square(whole(image))) + self._boxes(view), "full-range", False
        )

    def _in_tiles(self, image: Image) -> list[Landmarks]:
        for parts in TILE_PARTS[:2]:
            places = distinct_boxes(self._tile_places(image, parts))
            if faces := self._in_boxes(image, places, "tiles", False):
                return faces
        return []

    def _everywhere(self, image: Image) -> list[Landmarks]:
        faces = self._as_is(image, many=True)
        places = self._boxes(square(whole(image)))
        for parts in TILE_PARTS:
            places += self._tile_places(image, parts)
        new = [box for box in places if not any(same_place(box, face.box) for face in faces)]
        return _distinct(faces + self._in_boxes(image, distinct_boxes(new), "tiles", True))

    def _tile_places(self, image: Image, parts: int) -> list[Box]:
        side = max(image.shape[:2]) // parts
        views = tiles(image, side) if side >= SMALLEST_TILE else []
        return [tile.box_to_image(box) for tile in views for box in self._boxes(square(whole(tile.image)))]

    def _in_boxes(self, image: Image, boxes: Sequence[Box], step: str, every_face: bool) -> list[Landmarks]:
        """The face in each box, the largest box first; without ``every_face`` only the first face."""
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
                for mesh in self._meshes(view, confident=False):
                    if same_place(box, box_of(mesh.points)) and (face := self._closer(image, mesh, step)):
                        return face
        return []

    def _first_closer(
        self, image: Image, views: Sequence[Crop] | Iterator[Crop], step: str
    ) -> list[Landmarks]:
        for view in views:
            for mesh in self._meshes(view, confident=False):
                if face := self._closer(image, mesh, step):
                    return face
        return []

    def _closer(self, image: Image, mesh: Mesh, step: str) -> list[Landmarks]:
        """The face at ``mesh``, if a close-up and its mirror image give about the same mesh.

        Returns:
            One face with the points of the close-up, which are better for a small face, or none.
        """
        shape = plausibility.shape_of(mesh.points, _size(image))
        if plausibility.refusal(shape):
            return []
        allowed = min(
            plausibility.largest_disagreement(shape, _size(image)), self._engine.largest_disagreement
        )
        for border in (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT):
            for again, apart in self._looks(image, mesh.points, border):
                shape = plausibility.shape_of(again.points, _size(image))
                if apart <= allowed and not plausibility.refusal(shape):
                    return [_landmarks(image, self._right_way_up(image, again, step), step)]
        return []

    def _looks(self, image: Image, points: Points, border: int) -> Iterator[tuple[Mesh, float]]:
        """Meshes in a close-up, each with the greatest difference of it, its mirror image and ``points``."""
        view = _close_up(image, points, plausibility.shape_of(points, _size(image)).roll, border)
        for again in self._meshes(view, confident=False):
            for mirrored in self._meshes_of_mirrored(view):
                apart = max(
                    plausibility.disagreement(points, again.points),
                    plausibility.mirrored_disagreement(points, mirrored),
                    plausibility.mirrored_disagreement(again.points, mirrored),
                )
                yield again, apart

    def _right_way_up(self, image: Image, mesh: Mesh, step: str) -> Mesh:
        """The mesh, or that of the face turned by 180 degrees if looks at it agree better.

        Looks at an upright face agreed to within .04 eye distances, those at a face upside down differed by
        .1 and more (28 faces of LFW, CelebA and UTKFace). A look costs as much as the detection, so a face of
        the step "as-is" gets one only if its light is doubtful.
        """
        points = mesh.points
        if step == "as-is" and plausibility.uprightness(image, points) >= plausibility.DOUBTFUL_UPRIGHT:
            return mesh
        roll = plausibility.shape_of(points, _size(image)).roll
        for turned in self._meshes(_close_up(image, points, roll + 180, cv2.BORDER_REPLICATE)):
            refusal = plausibility.refusal(plausibility.shape_of(turned.points, _size(image)))
            if not refusal and self._instability(image, turned.points) < self._instability(image, points):
                return turned
        return mesh

    def _instability(self, image: Image, points: Points) -> float:
        """Least difference of the looks at a face, in eye distances; infinite if they do not find it."""
        return min((apart for _, apart in self._looks(image, points, cv2.BORDER_REPLICATE)), default=math.inf)

    def _meshes(self, view: Crop, *, confident: bool = True, many: bool = False) -> list[Mesh]:
        meshes = self._engine.meshes(view.image, confident=confident, many=many)
        return [replace(mesh, points=view.to_image(mesh.points)) for mesh in meshes]

    def _meshes_of_mirrored(self, view: Crop) -> list[Points]:
        flipped = np.ascontiguousarray(view.image[:, ::-1])
        meshes = self._engine.meshes(flipped, confident=False)
        last = view.image.shape[1] - 1
        return [view.to_image(mesh.points * (-1, 1, 1) + (last, 0, 0)) for mesh in meshes]

    def _boxes(self, view: Crop) -> list[Box]:
        return [view.box_to_image(box) for box in self._engine.locate(view.image)]


def _close_up(image: Image, points: Points, roll: float, border: int) -> Crop:
    """A close-up of a face, turned upright by its roll in degrees."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return close_up(image, (low + high) / 2, float((high - low).max()) * CLOSE_SIDES[0], roll, border)


def _landmarks(image: Image, mesh: Mesh, step: str) -> Landmarks:
    return Landmarks(mesh.points.astype(np.float32), _size(image), step, mesh.detection, mesh.presence)


def _size(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _distinct(faces: Sequence[Landmarks]) -> list[Landmarks]:
    """The faces without duplicates (the first of each is kept), largest first."""
    if len(faces) < 2:
        return list(faces)
    kept: list[Landmarks] = []
    for face in faces:
        if not any(same_place(face.box, other.box) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: (-face.box[2] * face.box[3], face.box))
