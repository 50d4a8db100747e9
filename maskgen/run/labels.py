"""The class label of a row: an attribute of the sample, or a result of masking."""

from __future__ import annotations

from collections.abc import Sequence

from maskgen.records import FaceRecord, Sample

# Labels that masking decides; each is a field of `FaceRecord`.
FACE_LABELS = ("wear", "kind", "template")


def label_of(sample: Sample, faces: Sequence[FaceRecord], label: str) -> tuple[str | None, str | None]:
    """The class of a row, or None and the reason why it has none.

    Args:
        sample: The input sample.
        faces: The masked faces of this variant.
        label: The name of an attribute, "identity", "split", or one of `FACE_LABELS`.
    """
    if label in FACE_LABELS:
        value, *others = {getattr(face, label) for face in faces} or {None}
        if others:
            return None, f"its faces differ in {label}"
        if value is None:
            return None, f"this blend has no {label}" if faces else None
        if label == "wear" and not all(face.wear_agrees for face in faces):
            return None, f"the coverage contradicts {value}"
        return value, None
    value = getattr(sample, label) if label in ("identity", "split") else sample.attributes.get(label)
    if value is None:
        return None, sample.note or f"the dataset gives no {label}"
    return (str(value).lower() if isinstance(value, bool) else str(value)), None
