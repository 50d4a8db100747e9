"""Mask an uploaded image, and classify its faces without and with the mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maskgen.errors import UnreadableImageError
from maskgen.face_mesh import Landmarks
from maskgen.images.codec import decode
from maskgen.landmarks import FaceLandmarker
from maskgen.landmarks.face_boxes import face_boxes
from maskgen.options import SynthOptions
from maskgen.records import Box, Image
from maskgen.run.single import mask_picture
from maskgen.train.data.model_input import examine
from maskgen.train.model.classifier import Classifier
from maskgen.train.predict.faces import Said, annotated, predict_faces

# Upload limits: enough for common cameras, and a few seconds of work at most.
LARGEST_FILE = 20 * 2**20  # bytes
MOST_PIXELS = 50_000_000


@dataclass(frozen=True, eq=False)
class Side:
    """An image in BGR with a box around every face, and the predictions for them, the largest face first."""

    bgr: Image
    predictions: tuple[Said, ...]


@dataclass(frozen=True, eq=False)
class Answer:
    """The content of the page for one upload; ``masked`` is None if no face could be masked."""

    unmasked: Side
    masked: Side | None
    note: str


@dataclass(frozen=True)
class _KnownFaces:
    """A landmarker of faces that were found before, to find them only once."""

    faces: list[Landmarks]

    def find(self, *_: Any, **__: Any) -> list[Landmarks]:
        return self.faces

    def close(self) -> None:
        pass


def answer(
    data: bytes, classifier: Classifier, landmarker: FaceLandmarker, template: str, blend: str, wear: str
) -> Answer:
    """Mask every face of an image file, and classify the faces before and after, at the same boxes.

    An `UnreadableImageError` if the file is not an image, is broken, or exceeds the upload limits.
    """
    if len(data) > LARGEST_FILE:
        raise UnreadableImageError(f"the file has {len(data):,} bytes, more than {LARGEST_FILE:,}")
    bgr = decode(data, MOST_PIXELS).bgr
    faces = landmarker.find(bgr, every_face=True)
    options = SynthOptions(
        "", blend=blend, templates=((template, 1.0),), wears=((wear, 1.0),), faces="all", label=None
    )
    result = mask_picture(data, "demo", options, _KnownFaces(faces))
    # Without a mesh nothing is masked, but a face that wears a mask already can still be classified.
    boxes = [face.box for face in faces] or face_boxes(landmarker, bgr)
    unmasked = _classify_faces(classifier, data, boxes)
    if result.data is None:
        reason = (result.row.reason or result.row.status) if faces else "no face was found"
        if boxes and not faces:
            reason = "the face has no landmarks"
        prediction = f"Unmasked {_first_prediction(unmasked)}. " if unmasked.predictions else ""
        return Answer(unmasked, None, f"{prediction}Not masked: {reason}.")
    masked = _classify_faces(classifier, result.data, boxes)
    count, shares = len(result.row.faces), result.row.faces[0].coverage.items()
    coverage = ", ".join(f"{part.replace('_', ' ')} {share:.0%}" for part, share in shares)
    note = (
        f"Unmasked {_first_prediction(unmasked)}, masked {_first_prediction(masked)}. {count} "
        f"face{'s' if count > 1 else ''} masked; the mask of the largest face covers: {coverage}."
    )
    return Answer(unmasked, masked, note)


def _first_prediction(side: Side) -> str:
    return f"{side.predictions[0].label} ({side.predictions[0].probability:.1%})"


def _classify_faces(classifier: Classifier, data: bytes, boxes: Sequence[Box]) -> Side:
    inspected = examine(data)
    if inspected.problem is not None:
        raise UnreadableImageError(inspected.problem)
    predictions = predict_faces(classifier, data, inspected, boxes)
    return Side(annotated(decode(data).bgr, predictions), tuple(predictions))
