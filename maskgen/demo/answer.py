"""What the page of `maskgen demo` answers: an image masked, its faces judged without a mask and with one."""

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
from maskgen.train.data.pictures import examine
from maskgen.train.model.classifier import Classifier
from maskgen.train.predict.faces import Said, annotated, predict_faces

# What anyone may hand to the page: the photographs of all usual cameras, and no more work than a few seconds.
LARGEST_FILE = 20 * 2**20  # bytes
MOST_PIXELS = 50_000_000


@dataclass(frozen=True, eq=False)
class Side:
    """An image and what the model said of its faces.

    Attributes:
        bgr: (height, width, 3) uint8, a box drawn around every face.
        said: Largest face first.
    """

    bgr: Image
    said: tuple[Said, ...]


@dataclass(frozen=True, eq=False)
class Answer:
    """What the page shows.

    Attributes:
        unmasked: The image as it came.
        masked: The masked image; None where nothing could be masked.
        note: What is to be said of it, in a sentence.
    """

    unmasked: Side
    masked: Side | None
    note: str


class _Once:
    """A landmarker that looks once, and keeps what it found: a mask must not move the boxes."""

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
        """Find faces as the landmarker does."""
        self.faces = self._landmarker.find(image, boxes=boxes, sample_id=sample_id, every_face=every_face)
        return self.faces

    def close(self) -> None:
        """Leave the landmarker open, which others use."""


def answer(
    data: bytes, classifier: Classifier, landmarker: FaceLandmarker, template: str, blend: str, wear: str
) -> Answer:
    """Mask every face of an image, and judge it before and after.

    Args:
        data: An image file.
        classifier: The model.
        landmarker: Finds the faces, once: the model is shown the same places of both images.
        template: A template's name.
        blend: As `maskgen synth --blend`.
        wear: As `maskgen synth --wear`.

    Raises:
        UnreadableImageError: It is no image, a broken one, or larger than the page takes.
    """
    _refuse_large(data)
    options = SynthOptions(
        "", blend=blend, templates=((template, 1.0),), wears=((wear, 1.0),), faces="all", label=None
    )
    once = _Once(landmarker)
    picture = mask_picture(data, "demo", options, once)
    boxes = [face.box for face in once.faces]
    unmasked = _judged(classifier, data, boxes)
    if picture.data is None:
        reason = "no face was found" if not boxes else picture.row.reason or picture.row.status
        told = f"Unmasked {_told(unmasked)}. " if unmasked.said else ""
        return Answer(unmasked, None, f"{told}Not masked: {reason}.")
    count = len(picture.row.faces)
    covered = ", ".join(
        f"{part.replace('_', ' ')} {share:.0%}" for part, share in picture.row.faces[0].coverage.items()
    )
    masked = _judged(classifier, picture.data, boxes)
    note = f"{count} face{'s' if count > 1 else ''} masked; the largest one's mask covers: {covered}."
    return Answer(unmasked, masked, f"Unmasked {_told(unmasked)}, masked {_told(masked)}. {note}")


def _told(side: Side) -> str:
    return f"{side.said[0].label} ({side.said[0].probability:.1%})"


def _refuse_large(data: bytes) -> None:
    """Refuse by the header, before anything is decoded."""
    if len(data) > LARGEST_FILE:
        raise UnreadableImageError(f"a file of {len(data):,} bytes, more than {LARGEST_FILE:,}")
    kind = sniff(data)
    open_image = opener(kind)
    try:
        with open_image(BytesIO(data)) as picture:
            width, height = picture.size
    except Exception as error:
        # A broken header makes Pillow raise anything from struct.error to RecursionError.
        raise UnreadableImageError(f"broken {kind}: {error}") from error
    if width * height > MOST_PIXELS:
        raise UnreadableImageError(f"{width} x {height} pixels are more than {MOST_PIXELS:,}")


def _judged(classifier: Classifier, data: bytes, boxes: Sequence[Box]) -> Side:
    found = examine(data)
    if found.problem is not None:
        raise UnreadableImageError(found.problem)
    said = predict_faces(classifier, data, found, boxes)
    return Side(annotated(decode(data).bgr, said), tuple(said))
