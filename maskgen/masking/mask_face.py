"""One masked face: `plan` draws every random choice, `mask_face` and `mask_image` only apply it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from maskgen.face_mesh import ANCHORS, Landmarks
from maskgen.masking.compositors import COMPOSITORS
from maskgen.masking.coverage import coverage, wear_agrees
from maskgen.masking.face.context import FaceContext
from maskgen.masking.fits import FIT_FUNCTIONS
from maskgen.masking.fits.lower_face import lower_face_layer
from maskgen.masking.layer.harmonise import harmonise
from maskgen.masking.layer.occlusion import occluders
from maskgen.masking.plan import draw_hang
from maskgen.masking.templates.pyramid import premultiplied_levels, template_levels
from maskgen.masking.templates.recolor import print_pattern, recolor
from maskgen.options import SynthOptions
from maskgen.records import Composite, FaceRecord, Image, Layer, MaskTemplate, Outcome, Plan

# What the manifest keeps of each face's mesh.
_KEPT_ANCHORS = (
    *("left_eye", "right_eye", "nose_bridge", "nose_tip", "left_mouth", "right_mouth"),
    *("chin", "left_cheek", "right_cheek", "left_jaw", "right_jaw"),
)

# Each anchor as shares of the mesh's points.
_KEPT_SHARES = np.zeros((len(_KEPT_ANCHORS), 468))
for _row, _name in enumerate(_KEPT_ANCHORS):
    _KEPT_SHARES[_row, list(ANCHORS[_name])] = 1 / len(ANCHORS[_name])

# How often a mask whose coverage contradicts its wear is hung anew.
_TRIES = 3


@dataclass(frozen=True, eq=False)
class MaskedFace:
    """One face's composite, with what was really applied and what it really covers."""

    composite: Composite
    plan: Plan
    color: str | None
    pattern: str | None
    coverage: Mapping[str, float]
    agrees: bool
    tries: int
    occluded: float


def mask_face(
    image: Image, look: FaceContext, template: MaskTemplate | None, drawn: Plan, options: SynthOptions
) -> MaskedFace | None:
    """Fit, harmonise and blend; anew, hung otherwise, while the coverage contradicts the wear.

    Args:
        image: (height, width, 3) uint8 BGR, other faces masked already; not changed.
        look: The face to mask.
        template: What is put on it; None for a blend that uses no template.
        drawn: The random choices.
        options: The run's options.

    Returns:
        The last try's result, or None if it lies outside the image.
    """
    made: MaskedFace | None = None
    for attempt in range(_TRIES if options.jitter and template is not None else 1):
        hung = drawn if attempt == 0 else replace(drawn, hang=draw_hang(drawn.seed, attempt))
        made = _try_once(image, look, template, hung, options, attempt + 1)
        if made is None or made.agrees:
            break
    return made


def _try_once(
    image: Image,
    look: FaceContext,
    template: MaskTemplate | None,
    drawn: Plan,
    options: SynthOptions,
    tries: int,
) -> MaskedFace | None:
    color = pattern = None
    landmarks = look.landmarks
    layer: Layer | None
    if template is None:
        layer = lower_face_layer(landmarks)
    else:
        if template.recolourable:
            color, pattern = drawn.color, drawn.pattern
        levels = _dyed_levels(template, color, pattern, drawn.seed)
        layer = FIT_FUNCTIONS[options.fit](template, levels, landmarks, drawn)
    if layer is None or not layer.alpha.any():
        return None
    worn, occluded = layer, 0.0
    if template is not None and options.occlusion == "on":
        layer, occluded = _behind(layer, occluders(look, layer))
    if template is not None and options.harmonise:
        # Poisson cloning takes the light's change over the face from the image itself.
        layer = harmonise(look, layer, drawn.seed, follow_light=options.blend != "poisson")
    composite = COMPOSITORS[options.blend](image, layer, look)
    shares, seen = coverage(composite.alpha, landmarks, composite.origin)
    if occluded:
        # What hides the mask does not change how it is worn.
        _, seen = coverage(worn.alpha, landmarks, worn.origin)
    agrees = wear_agrees(drawn.wear, seen)
    return MaskedFace(composite, drawn, color, pattern, shares, agrees, tries, occluded)


def _behind(layer: Layer, matte: Image) -> tuple[Layer, float]:
    """The layer behind what the matte shows, and the share of it that this hides."""
    if not matte.any():
        return layer, 0.0
    left = layer.alpha * (255 - matte.astype(np.uint16)) // 255
    hidden = 1 - float(left.sum()) / max(float(layer.alpha.sum()), 1.0)
    return replace(layer, alpha=left.astype(np.uint8)), round(hidden, 4)


def _dyed_levels(
    template: MaskTemplate, color: str | None, pattern: str | None, seed: int
) -> Sequence[Image]:
    """The template's pyramid, recoloured or printed where that is asked for."""
    if color is None and pattern is None:
        return template_levels(template)
    bgra = template.bgra
    if color is not None:
        bgra = recolor(bgra, color)
    if pattern is not None:
        bgra = print_pattern(bgra, pattern, seed)
    return premultiplied_levels(bgra)


def mask_image(
    image: Image,
    faces: Sequence[Landmarks] | Sequence[FaceContext],
    plans: Sequence[Plan],
    templates: Mapping[str, MaskTemplate],
    options: SynthOptions,
) -> Outcome:
    """Mask the given faces of one image, the farthest (smallest) first, so that near masks lie on top.

    Args:
        image: (height, width, 3) uint8 BGR; not changed.
        faces: Landmarks, largest face first, as a `FaceLandmarker` returns them; or what was seen of these
            faces in ``image`` before, so that the next variant need not look again.
        plans: One for each face.
        templates: By the name that a plan uses.
        options: The run's options.

    Returns:
        status "masked" with the image and one `FaceRecord` a face; "no_face" if none was given, "too_small"
        if all are below ``options.min_face``, "off_image" if no mask lies inside the image.
    """
    if not faces:
        return Outcome("no_face", "no step of the detection cascade found a face")
    looks = [face if isinstance(face, FaceContext) else FaceContext(image, face) for face in faces]
    sizes = [look.landmarks.eye_distance for look in looks]
    large = [
        (look, drawn)
        for look, drawn, size in zip(looks, plans, sizes, strict=True)
        if size >= options.min_face
    ]
    if not large:
        widest = max(sizes)
        return Outcome(
            "too_small", f"outer eye corners {widest:.1f} px apart, below --min-face {options.min_face:g}"
        )
    masked, alpha = image.copy(), np.zeros(image.shape[:2], np.uint8)
    done: list[tuple[Landmarks, MaskedFace]] = []
    for look, drawn in reversed(large):
        template = templates[drawn.template] if drawn.template else None
        made = mask_face(masked, look, template, drawn, options)
        if made is None:
            continue
        window = made.composite.window
        masked[window] = made.composite.bgr
        np.maximum(alpha[window], made.composite.alpha, out=alpha[window])
        done.append((look.landmarks, made))
    if not done:
        return Outcome("off_image", "the mask lies outside the image")
    records = tuple(
        _record(face, made, templates.get(made.plan.template), options) for face, made in done[::-1]
    )
    return Outcome("masked", None, masked, alpha, records)


def _record(
    landmarks: Landmarks, made: MaskedFace, template: MaskTemplate | None, options: SynthOptions
) -> FaceRecord:
    # Compositors work in a margin around the mask, which is no part of it.
    x, y, width, height = cv2.boundingRect(made.composite.alpha)
    x, y = x + made.composite.origin[0], y + made.composite.origin[1]
    left, top, across, down = (round(value) for value in landmarks.box)
    return FaceRecord(
        box=(left, top, across, down),
        mask_box=(x, y, width, height),
        pose=landmarks.pose,
        landmarks=_anchors(landmarks),
        detection=landmarks.step,
        template=template.name if template else None,
        template_sha256=template.sha256 if template else None,
        kind=template.kind if template else None,
        tone=template.tone if template else None,
        color=made.color,
        pattern=made.pattern,
        fit=options.fit if template else "polygon",
        blend=options.blend,
        wear=made.plan.wear,
        wear_agrees=made.agrees,
        tries=made.tries,
        occluded=made.occluded,
        coverage=made.coverage,
    )


def _anchors(landmarks: Landmarks) -> dict[str, tuple[float, float]]:
    return {
        name: (round(x, 2), round(y, 2))
        for name, (x, y) in zip(_KEPT_ANCHORS, (_KEPT_SHARES @ landmarks.points[:, :2]).tolist(), strict=True)
    }


def choose_faces(faces: Sequence[Landmarks], which: str) -> list[Landmarks]:
    """The faces that ``--faces largest|all|center`` means, largest first."""
    if which == "all" or not faces:
        return list(faces)
    if which == "largest":
        return [faces[0]]
    width, height = faces[0].image_size
    middle = np.array([width / 2, height / 2])

    def off_center(face: Landmarks) -> float:
        x, y, w, h = face.box
        return float(np.linalg.norm(np.array([x + w / 2, y + h / 2]) - middle))

    return [min(faces, key=off_center)]
