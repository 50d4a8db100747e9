"""The judgement of a mesh by further looks at its face, and a better mesh where it is not good."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks, bounds, mirrored_order, pose_of
from maskgen.landmarks import crops, plausibility
from maskgen.landmarks.appearance import probability
from maskgen.landmarks.crops import Crop, Points
from maskgen.landmarks.engine import REFIT_PIXELS, REFIT_SIDES, Engine, Mesh
from maskgen.landmarks.second_opinion import GOOD, Opinion, opinion, second_opinion
from maskgen.records import Image

# Sides of a close-up of one face, in sides of its box.
CLOSE_SIDES = (2.0, 1.6)
# The further looks of the second opinion: (turned by degrees, mirrored). With four of them, the area under
# the ROC curve for profiles grows from .937 to .944.
REFITS = ((0.0, True), (12.0, False))
# Degrees by which some close-ups are turned, so that a face in profile looks up.
TILT = 20.0
# A mesh with a smaller logit is replaced, by one with at least this logit: of many, one is above 0 by chance.
REPLACES = 1.0


class MeshJudge:
    """Judges the meshes of an engine (`maskgen.landmarks.second_opinion`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def landmarks(self, image: Image, mesh: Mesh, step: str) -> Landmarks:
        """The face of the mesh, or of another mesh at its place if the second opinion on it is not good."""
        judged, further = self._judged(image, mesh)
        if judged.mesh < REPLACES:
            mesh, judged = self._replaced(image, mesh, judged, further)
        scores = probability(judged.mesh), probability(judged.mask)
        points = mesh.points.astype(np.float32)
        return Landmarks(points, size_of(image), step, mesh.detection, mesh.presence, *scores)

    def _judged(self, image: Image, mesh: Mesh) -> tuple[Opinion, list[Mesh]]:
        """The opinion on a mesh, and the further meshes that were needed for it."""
        first = opinion(image, mesh)
        if first.is_clear:
            return first, []
        further = self._further(image, mesh)
        return second_opinion(first, mesh, further), further

    def _further(self, image: Image, mesh: Mesh) -> list[Mesh]:
        """What the further looks at a mesh find."""
        again = (self._refit(image, mesh, turn, mirrored) for turn, mirrored in REFITS)
        return [other for other in again if other]

    def is_steady(self, image: Image, face: Landmarks) -> bool:
        """Whether further looks confirm a face, even if its first look is clear."""
        mesh = Mesh(face.points.astype(np.float64))
        return second_opinion(opinion(image, mesh), mesh, self._further(image, mesh)).mesh >= 0

    def _replaced(
        self, image: Image, first: Mesh, judged: Opinion, further: Sequence[Mesh]
    ) -> tuple[Mesh, Opinion]:
        """Another mesh at the place of ``first`` with a good second opinion, or ``first``."""
        place = crops.box_of(first.points)
        upside_down = self._turned_looks(image, first, 180.0)
        others = self._tilted_looks(image, first), self._turned_looks(image, first, 90.0, 270.0)
        for mesh in chain(upside_down, further, *others):
            at_place = crops.same_place(place, crops.box_of(mesh.points))
            if at_place and not plausibility.refusal(shape_in(image, mesh.points)):
                other = second_opinion(opinion(image, mesh), mesh, self._further(image, mesh))
                if other.mesh >= REPLACES:
                    return mesh, other
        return first, judged

    def _tilted_looks(self, image: Image, first: Mesh) -> Iterator[Mesh]:
        """Meshes of a close-up's mirror image, and of two close-ups that are turned a little."""
        towards = math.copysign(TILT, pose_of(first.points)["yaw"])
        for turn, sides, mirrored in ((0.0, 2.0, True), (towards, 2.0, False), (towards, 1.6, False)):
            view = upright_close_up(image, first.points, turn=turn, sides=sides)
            view = view.mirrored() if mirrored else view
            for mesh in meshes_in(self._engine, view, confident=False):
                yield mirrored_back(mesh) if mirrored else mesh

    def _turned_looks(self, image: Image, first: Mesh, *turns: float) -> Iterator[Mesh]:
        """Meshes of close-ups turned by so many degrees, if they look right."""
        for turn in turns:
            view = upright_close_up(image, first.points, turn=turn)
            for mesh in meshes_in(self._engine, view, confident=False):
                if opinion(image, mesh).mesh >= GOOD:
                    yield mesh

    def _refit(self, image: Image, mesh: Mesh, turn: float, mirrored: bool = False) -> Mesh | None:
        """The mesh of the same face in a view turned by ``turn`` degrees."""
        view = upright_close_up(image, mesh.points, turn=turn, sides=REFIT_SIDES, pixels=REFIT_PIXELS)
        view = view.mirrored() if mirrored else view
        again = self._engine.refit(view.image)
        again = again and replace(again.moved(view.to_image), detection=mesh.detection)
        return mirrored_back(again) if again and mirrored else again


def meshes_in(engine: Engine, view: Crop, *, confident: bool = True, many: bool = False) -> list[Mesh]:
    """The meshes that an engine finds in a view, in pixels of the image."""
    meshes = engine.meshes(view.image, confident=confident, many=many)
    return [mesh.moved(view.to_image) for mesh in meshes]


def upright_close_up(
    image: Image,
    points: Points,
    *,
    turn: float = 0.0,
    border: int = cv2.BORDER_REPLICATE,
    sides: float = CLOSE_SIDES[0],
    pixels: int = crops.CLOSE,
) -> Crop:
    """A close-up of a face, turned upright and then by ``turn`` degrees."""
    left, top, right, bottom = bounds(points)
    center, side = np.array((left + right, top + bottom)) / 2, max(right - left, bottom - top) * sides
    return crops.close_up(image, center, side, shape_in(image, points).roll + turn, border, pixels)


def mirrored_back(mesh: Mesh) -> Mesh:
    """A mesh from a mirror image, whose x is mirrored back: its points change sides."""
    return mesh.moved(lambda points: points[mirrored_order()])


def shape_in(image: Image, points: Points) -> plausibility.Shape:
    """The shape of a mesh in an image."""
    return plausibility.shape_of(points, size_of(image))


def size_of(image: Image) -> tuple[int, int]:
    """(width, height) of an image."""
    return image.shape[1], image.shape[0]
