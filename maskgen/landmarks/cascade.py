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
turned             the image turned by 180, 90 and 270 degrees, in which all steps above run
=================  ==========================================================================

A face found with lower thresholds must pass two further looks (`maskgen.landmarks.plausibility`). Each face
gets a second opinion (`maskgen.landmarks.second_opinion`), and other meshes are tried if that is not good.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks
from maskgen.landmarks import crops, plausibility
from maskgen.landmarks.crops import Crop, Points
from maskgen.landmarks.engine import Engine, Mesh
from maskgen.landmarks.haar import haar_boxes
from maskgen.landmarks.mesh_judge import (
    CLOSE_SIDES,
    MeshJudge,
    meshes_in,
    shape_in,
    size_of,
    upright_close_up,
)
from maskgen.records import BELIEVED, Box, Image

PAD_MARGINS = (0.15, 0.5)
BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)
SMALLEST_BOX = 16.0
# Numbers of tiles along the longer side of an image, tried one after the other.
TILE_PARTS = (2, 4, 8)
SMALLEST_TILE = 240


class Cascade:
    """`maskgen.landmarks.FaceLandmarker` on an engine, which it closes.

    The ``detector`` is "mediapipe" for the steps of this module, "haar" for OpenCV's Haar cascades.
    """

    def __init__(self, engine: Engine, detector: str = "mediapipe") -> None:
        self._engine = engine
        self._judge = MeshJudge(engine)
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
        best = self._upright(image, boxes, every_face)
        # Turned by 180 degrees first: photographs scanned or stored the wrong way up.
        for quarters in (2, 1, 3):
            if any(face.mesh_score is None or face.mesh_score >= BELIEVED for face in best):
                break
            view = _turned(image, quarters)
            turned_boxes = [view.box_to_view(box) for box in boxes]
            faces = self._upright(view.image, turned_boxes, every_face, brief=bool(best))
            faces = [face for face in faces if self._judge.is_steady(view.image, face)]
            if _best_score(faces) >= max(_best_score(best), BELIEVED):
                best = [_turned_back(face, view, image) for face in faces]
        return best

    def _upright(
        self, image: Image, boxes: Sequence[Box], every_face: bool, brief: bool = False
    ) -> list[Landmarks]:
        """The faces of an image that is taken to be upright; ``brief`` stops after the first step."""
        if boxes:
            return self._in_boxes(image, boxes, "box", every_face)
        if self._detector == "haar":
            return self._in_boxes(image, haar_boxes(image), "haar", every_face)
        if brief:
            return self._as_is(image, crops.whole(image))
        return next(filter(None, self._steps(image, every_face)), [])

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def detections(self, image: Image) -> list[tuple[float, Box]]:
        """See `maskgen.landmarks.face_boxes.Detecting`; none if the Haar cascades were chosen.

        No mesh confirms them. The detector sees the whole image, and the image with a border for a face that
        fills it.
        """
        if self._detector == "haar":
            return []
        view = crops.whole(image)
        views = (crops.square(view), crops.square(view, PAD_MARGINS[-1], cv2.BORDER_CONSTANT))
        faces = [
            (score, padded.box_to_image(box))
            for padded in views
            for score, box in self._engine.detect(padded.image)
        ]
        distinct: list[tuple[float, Box]] = []
        for score, box in sorted(faces, key=lambda face: (-face[0], face[1])):
            if not any(crops.same_place(box, other) for _, other in distinct):
                distinct.append((score, box))
        return distinct

    def _steps(self, image: Image, every_face: bool) -> Iterator[list[Landmarks]]:
        """The faces of each step, which runs when they are asked for."""
        view = crops.whole(image)
        yield self._everywhere(image, view) if every_face else self._as_is(image, view)
        yield self._closer_in([crops.square(view)], image, "low-confidence")
        padded = [crops.square(view, margin, cv2.BORDER_CONSTANT) for margin in PAD_MARGINS]
        yield self._closer_in(padded, image, "padded")
        boxes = self._boxes(crops.square(view)) + self._boxes(padded[-1])
        yield self._in_boxes(image, boxes, "full-range")
        for parts in TILE_PARTS[:2]:
            yield self._in_boxes(image, crops.distinct_boxes(self._tile_boxes(image, parts)), "tiles")

    def _as_is(self, image: Image, view: Crop, many: bool = False) -> list[Landmarks]:
        faces = []
        for mesh in meshes_in(self._engine, crops.square(view), many=many):
            shape = shape_in(image, mesh.points)
            if plausibility.refusal(shape):
                continue
            if not self._engine.is_sure or plausibility.doubtful(shape, size_of(image)):
                faces += self._closer(image, mesh, "as-is")
            else:
                faces.append(self._judge.landmarks(image, mesh, "as-is"))
        return _largest_first(faces)

    def _everywhere(self, image: Image, view: Crop) -> list[Landmarks]:
        faces = self._as_is(image, view, many=True)
        boxes = self._boxes(crops.square(view))
        for parts in TILE_PARTS:
            boxes += self._tile_boxes(image, parts)
        new = [box for box in boxes if not any(crops.same_place(box, face.box) for face in faces)]
        return _largest_first(faces + self._in_boxes(image, crops.distinct_boxes(new), "tiles", True))

    def _tile_boxes(self, image: Image, parts: int) -> list[Box]:
        side = max(image.shape[:2]) // parts
        if side < SMALLEST_TILE:
            return []
        views = [(tile, crops.square(crops.whole(tile.image))) for tile in crops.tiles(image, side)]
        return [tile.box_to_image(box) for tile, view in views for box in self._boxes(view)]

    def _in_boxes(
        self, image: Image, boxes: Sequence[Box], step: str, every_face: bool = False
    ) -> list[Landmarks]:
        """The face in each box, the largest box first; without ``every_face`` only the first face."""
        faces: list[Landmarks] = []
        for box in crops.largest_first(boxes):
            x, y, width, height = box
            if width * height < SMALLEST_BOX**2 or (faces and not every_face):
                break
            center, side = np.array((x + width / 2, y + height / 2)), max(width, height)
            kinds = product(BORDERS, CLOSE_SIDES)
            views = (crops.close_up(image, center, side * sides, border=border) for border, sides in kinds)
            faces += self._closer_in(views, image, step, box)
        return _largest_first(faces)

    def _closer_in(
        self, views: Iterable[Crop], image: Image, step: str, box: Box | None = None
    ) -> list[Landmarks]:
        """The first face in the views (at ``box``, if given) that a closer look confirms, or none."""
        for view in views:
            for mesh in meshes_in(self._engine, view, confident=False):
                at_box = box is None or crops.same_place(box, crops.box_of(mesh.points))
                if at_box and (face := self._closer(image, mesh, step)):
                    return face
        return []

    def _closer(self, image: Image, mesh: Mesh, step: str) -> list[Landmarks]:
        """The face at ``mesh``, or none if a close-up and its mirror image do not give about the same mesh.

        Its points are those of the close-up, which are better for a small face.
        """
        shape = shape_in(image, mesh.points)
        if plausibility.refusal(shape):
            return []
        allowed = plausibility.largest_disagreement(shape, size_of(image))
        for border in BORDERS:
            for again, apart in self._looks(image, mesh.points, border):
                agrees = apart <= min(allowed, self._engine.largest_disagreement)
                if agrees and not plausibility.refusal(shape_in(image, again.points)):
                    return [self._judge.landmarks(image, again, step)]
        return []

    def _looks(
        self, image: Image, points: Points, border: int = cv2.BORDER_REPLICATE
    ) -> Iterator[tuple[Mesh, float]]:
        """Meshes in a close-up, each with the greatest difference of it, its mirror image and ``points``."""
        view = upright_close_up(image, points, border=border)
        for again in meshes_in(self._engine, view, confident=False):
            for mirrored in meshes_in(self._engine, view.mirrored(), confident=False):
                looks = (points, again.points)
                apart = [plausibility.mirrored_disagreement(look, mirrored.points) for look in looks]
                yield again, max(plausibility.disagreement(*looks), *apart)

    def _boxes(self, view: Crop) -> list[Box]:
        return [view.box_to_image(box) for box in self._engine.locate(view.image)]


def _turned(image: Image, quarters: int) -> Crop:
    """The image turned clockwise by quarters of a turn."""
    height, width = image.shape[:2]
    matrices = {
        1: [[0, -1, height - 1], [1, 0, 0]],
        2: [[-1, 0, width - 1], [0, -1, height - 1]],
        3: [[0, 1, 0], [-1, 0, width - 1]],
    }
    turned = np.ascontiguousarray(np.rot90(image, -quarters))
    return Crop(turned, np.array(matrices[quarters], np.float64))


def _best_score(faces: Sequence[Landmarks]) -> float:
    return max((face.mesh_score or 0.0 for face in faces), default=0.0)


def _turned_back(face: Landmarks, view: Crop, image: Image) -> Landmarks:
    """A face of a turned image as one of the image."""
    points = view.to_image(face.points.astype(np.float64)).astype(np.float32)
    return replace(face, points=points, image_size=size_of(image), step="turned")


def _largest_first(faces: list[Landmarks]) -> list[Landmarks]:
    """The distinct faces, largest first."""
    if len(faces) < 2:
        return faces
    by_box = {face.box: face for face in reversed(faces)}
    return [by_box[box] for box in crops.largest_first(crops.distinct_boxes(face.box for face in faces))]
