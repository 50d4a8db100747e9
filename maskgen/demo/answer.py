"""Mask an uploaded image, and classify its faces without and with the mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from maskgen.errors import UnreadableImageError
from maskgen.face_mesh import Landmarks
from maskgen.images.codec import decode
from maskgen.images.formats import opener, sniff
from maskgen.landmarks import FaceLandmarker
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
    """An image and the predictions for its faces.

    Attributes:
        bgr: (height, width, 3) uint8, with a box around every face.
        said: The predictions, largest face first.
    """

    bgr: Image
    said: tuple[Said, ...]


@dataclass(frozen=True, eq=False)
class Answer:
    """The content of the page for one upload.

    Attributes:
        unmasked: The uploaded image.
        masked: The masked image; None if no face could be masked.
        note: A sentence about both.
    """

    unmasked: Side
    masked: Side | None
    note: str


class _RecordingLandmarker:
    """A landmarker that keeps the faces it found, to classify both images at the same boxes."""

    def __init__(self, landmarker: FaceLandmarker) -> None:
        self._landmarker = landmarker
        self.faces: list[Landmarks] = []

    def find(
        self,
        image: Image,
        *,
        boxes: Sequence[Box] = (),
        sample_id: str | None = None,
        every_face: bool = False,
    ) -> list[Landmarks]:
        """Find faces with the wrapped landmarker."""
        self.faces = self._landmarker.find(image, boxes=boxes, sample_id=sample_id, every_face=every_face)
        return self.faces

    def close(self) -> None:
        """Do nothing: the wrapped landmarker belongs to the caller."""


def answer(
    data: bytes, classifier: Classifier, landmarker: FaceLandmarker, template: str, blend: str, wear: str
) -> Answer:
    """Mask every face of an image, and classify the faces before and after.

    Args:
        data: An image file.
        classifier: The model.
        landmarker: Finds the faces; it runs once, and both images are classified at the same boxes.
        template: Name of a template.
        blend: As `maskgen synth --blend`.
        wear: As `maskgen synth --wear`.

    Raises:
        UnreadableImageError: The file is not an image, is broken, or exceeds the upload limits.
    """
    _refuse_large(data)
    options = SynthOptions(
        "", blend=blend, templates=((template, 1.0),), wears=((wear, 1.0),), faces="all", label=None
    )
    recorder = _RecordingLandmarker(landmarker)
    result = mask_picture(data, "demo", options, recorder)
    boxes = [face.box for face in recorder.faces]
    unmasked = _classify_faces(classifier, data, boxes)
    if result.data is None:
        reason = "no face was found" if not boxes else result.row.reason or result.row.status
        prediction = f"Unmasked {_first_prediction(unmasked)}. " if unmasked.said else ""
        return Answer(unmasked, None, f"{prediction}Not masked: {reason}.")
    masked = _classify_faces(classifier, result.data, boxes)
    count = len(result.row.faces)
    coverage = ", ".join(
        f"{part.replace('_', ' ')} {share:.0%}" for part, share in result.row.faces[0].coverage.items()
    )
    note = (
        f"Unmasked {_first_prediction(unmasked)}, masked {_first_prediction(masked)}. {count} "
        f"face{'s' if count > 1 else ''} masked; the mask of the largest face covers: {coverage}."
    )
    return Answer(unmasked, masked, note)


def _first_prediction(side: Side) -> str:
    return f"{side.said[0].label} ({side.said[0].probability:.1%})"


def _refuse_large(data: bytes) -> None:
    """Check the limits from the file's header, before the pixels are decoded."""
    if len(data) > LARGEST_FILE:
        raise UnreadableImageError(f"the file has {len(data):,} bytes, more than {LARGEST_FILE:,}")
    kind = sniff(data)
    open_image = opener(kind)
    try:
        with open_image(BytesIO(data)) as pillow_image:
            width, height = pillow_image.size
    except Exception as error:
        # For broken headers Pillow raises many types, from struct.error to RecursionError.
        raise UnreadableImageError(f"broken {kind}: {error}") from error
    if width * height > MOST_PIXELS:
        raise UnreadableImageError(f"{width} x {height} pixels are more than {MOST_PIXELS:,}")


def _classify_faces(classifier: Classifier, data: bytes, boxes: Sequence[Box]) -> Side:
    found = examine(data)
    if found.problem is not None:
        raise UnreadableImageError(found.problem)
    said = predict_faces(classifier, data, found, boxes)
    return Side(annotated(decode(data).bgr, said), tuple(said))
