"""Choose the faces of an image that are masked: by ``--faces``, and by what their scores say.

The row of a face that wears a mask already, or whose mesh does not look right, would say what its image does
not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from maskgen.face_mesh import Landmarks
from maskgen.masking.mask_face import choose_faces
from maskgen.options import SynthOptions
from maskgen.records import BELIEVED, WORN, Outcome


@dataclass(frozen=True)
class FaceChoice:
    """The faces to mask.

    Attributes:
        faces: Largest first.
        refusal: The outcome of an image whose chosen faces are all left alone; else None.
        note: A remark on the faces for the reason of the row.
    """

    faces: list[Landmarks] = field(default_factory=list)
    refusal: Outcome | None = None
    note: str | None = None

    def noted(self, outcome: Outcome) -> Outcome:
        """The outcome of masking the faces, with the note if there is an image."""
        return replace(outcome, reason=self.note) if outcome and self.note else outcome


def choose(landmarks: Sequence[Landmarks], options: SynthOptions) -> FaceChoice:
    """Choose among all faces of an image, largest first.

    Faces below ``options.min_face`` are not judged: `maskgen.masking.mask_face.mask_image` leaves them out.
    """
    kept: list[Landmarks] = []
    refused: dict[str, list[str]] = {}
    flags: list[str] = []
    for face in choose_faces(landmarks, options.faces):
        status, reason = _judge(face, options)
        if status:
            refused.setdefault(status, []).append(reason)
        else:
            kept.append(face)
            flags += [reason] if reason else []
    if refused and not kept:
        status = min(refused)
        return FaceChoice(refusal=Outcome(status, refused[status][0]))
    left = [f"left alone: {reason}" for reasons in refused.values() for reason in reasons]
    return FaceChoice(kept, note="; ".join((*flags, *left)) or None)


def _judge(face: Landmarks, options: SynthOptions) -> tuple[str | None, str]:
    """The status of a face that is left alone, or None; and a remark, which may be empty."""
    if face.eye_distance < options.min_face:
        return None, ""
    remarks = []
    if options.masked_faces != "mask" and face.mask_score is not None and face.mask_score >= WORN:
        reason = f"the face wears a mask already (mask_score {face.mask_score})"
        if options.masked_faces == "skip":
            return "already_masked", reason
        remarks.append(reason)
    if face.mesh_score is not None and face.mesh_score < BELIEVED:
        reason = f"the landmarks do not look right (mesh_score {face.mesh_score})"
        if not options.keep_unsure:
            return "unsure", reason
        remarks.append(f"unsure: {reason}")
    return None, "; ".join(remarks)
