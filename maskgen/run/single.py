"""Mask one image in memory, without a dataset or an output folder."""

import hashlib
from dataclasses import dataclass

from maskgen.images.codec import decode, encode
from maskgen.landmarks import FaceLandmarker
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.records import ManifestRow
from maskgen.results.manifest import row_to_json
from maskgen.run.face_choice import choose


@dataclass(frozen=True)
class MaskedImage:
    """The result of one image; falsy if no face was masked.

    Attributes:
        data: The encoded masked image; None if no face was masked.
        row: Its manifest row.
    """

    data: bytes | None
    row: ManifestRow

    def __bool__(self) -> bool:
        return self.data is not None

    def to_json(self) -> str:
        """The manifest row as one line of JSON."""
        return row_to_json(self.row)


def mask_picture(
    data: bytes, name: str, options: SynthOptions, landmarker: FaceLandmarker, file_name: str | None = None
) -> MaskedImage:
    """Mask one image.

    Args:
        data: The content of an image file.
        name: The sample id; it and the seed determine the random choices.
        options: As for a whole dataset; options for folders and labels are ignored.
        landmarker: The landmark engine.
        file_name: The output file of the caller, for the row.

    Raises:
        UnreadableImageError: ``data`` cannot be decoded.
    """
    decoded = decode(data)
    choice = choose(landmarker.find(decoded.bgr, every_face=options.faces != "largest"), options)
    plans = [plan(options, name, 0, face) for face in range(len(choice.faces))]
    templates = {each.template: load_template(each.template) for each in plans if each.template}
    outcome = choice.refusal
    if outcome is None:
        outcome = choice.noted(mask_image(decoded.bgr, choice.faces, plans, templates, options))
    target = None if options.format == "source" else options.format
    masked = outcome.image
    encoded = None if masked is None else encode(masked, decoded, target, options.quality).data
    height, width = decoded.bgr.shape[:2] if encoded else (None, None)
    row = ManifestRow(
        id=name,
        variant=0,
        status=outcome.status,
        reason=outcome.reason,
        file_name=file_name if encoded else None,
        sha256=hashlib.sha256(encoded).hexdigest() if encoded else None,
        width=width,
        height=height,
        label=None,
        split=None,
        identity=None,
        attributes={},
        source={"dataset": None, "path": name, "sha256": hashlib.sha256(data).hexdigest()},
        faces=outcome.faces,
        seed=options.seed,
    )
    return MaskedImage(encoded, row)
