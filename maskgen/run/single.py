"""One image, from bytes to bytes, with no dataset and no output folder around it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from maskgen.images.codec import decode, encode
from maskgen.landmarks import FaceLandmarker
from maskgen.masking.mask_face import choose_faces, mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.records import ManifestRow
from maskgen.results.manifest import row_to_json


@dataclass(frozen=True)
class MaskedPicture:
    """What became of one image; falsy when it was not masked.

    Attributes:
        data: The encoded masked image; None when it was not masked.
        row: The line that a manifest would have for it.
    """

    data: bytes | None
    row: ManifestRow

    def __bool__(self) -> bool:
        return self.data is not None

    def to_json(self) -> str:
        """The row as one line of JSON."""
        return row_to_json(self.row)


def mask_picture(
    data: bytes, name: str, options: SynthOptions, landmarker: FaceLandmarker, file_name: str | None = None
) -> MaskedPicture:
    """Mask one image.

    Args:
        data: The content of an image file.
        name: Stands for the sample id: the random choices are drawn from it and the seed.
        options: As for a whole dataset; what concerns folders and labels is not looked at.
        landmarker: What finds the faces.
        file_name: Where the caller is going to write it, for the row.

    Raises:
        UnreadableImageError: ``data`` is not an image that can be decoded.
    """
    decoded = decode(data)
    faces = choose_faces(landmarker.find(decoded.bgr, every_face=options.faces != "largest"), options.faces)
    plans = [plan(options, name, 0, face) for face in range(len(faces))]
    templates = {drawn.template: load_template(drawn.template) for drawn in plans if drawn.template}
    outcome = mask_image(decoded.bgr, faces, plans, templates, options)
    written = None
    if outcome.image is not None:
        target = None if options.format == "source" else options.format
        written = encode(outcome.image, decoded, target, options.quality).data
    height, width = decoded.bgr.shape[:2]
    row = ManifestRow(
        id=name,
        variant=0,
        status=outcome.status,
        reason=outcome.reason,
        file_name=file_name if written else None,
        sha256=hashlib.sha256(written).hexdigest() if written else None,
        width=width if written else None,
        height=height if written else None,
        label=None,
        split=None,
        identity=None,
        attributes={},
        source={"dataset": None, "path": name, "sha256": hashlib.sha256(data).hexdigest()},
        faces=outcome.faces,
        seed=options.seed,
    )
    return MaskedPicture(written, row)
