"""Apply plans to an image: `mask_face` masks one face, `mask_image` all faces of an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from maskgen.face_mesh import Landmarks, anchor_shares
from maskgen.masking.compositors import COMPOSITORS
from maskgen.masking.coverage import coverage, wear_agrees
from maskgen.masking.face.context import FaceContext
from maskgen.masking.fits import FIT_FUNCTIONS
from maskgen.masking.fits.lower_face import lower_face_layer
from maskgen.masking.layer.harmonise import harmonise
from maskgen.masking.layer.occlusion import occluders
from maskgen.masking.plan import draw_hang
from maskgen.options import SynthOptions
from maskgen.records import Composite, FaceRecord, Image, Layer, MaskTemplate, Outcome, Plan

# The anchors that the manifest lists for each face.
_LISTED_ANCHORS = (
    *("left_eye", "right_eye", "nose_bridge", "nose_tip", "left_mouth", "right_mouth"),
    *("chin", "left_cheek", "right_cheek", "left_jaw", "right_jaw"),
)
_LISTED_SHARES = anchor_shares(_LISTED_ANCHORS)

# Most attempts, each with another hang, while a mask's coverage contradicts its wear.
_TRIES = 4


@dataclass(frozen=True, eq=False)
class MaskedFace:
    """One face's composite, with the applied choices.

    Attributes:
        composite: The changed rectangle of the image.
        plan: The choices, with the hang of the last attempt and without a colour or pattern that the template
            does not take.
        coverage: Share of each part of the face that is covered.
        agrees: Whether the coverage agrees with the wear.
        tries: Number of attempts.
        occluded: Share of the mask that hair, eyeglasses and objects hide.
    """

    composite: Composite
    plan: Plan
    coverage: Mapping[str, float]
    agrees: bool
    tries: int
    occluded: float


def mask_face(
    image: Image, context: FaceContext, template: MaskTemplate | None, plan: Plan, options: SynthOptions
) -> MaskedFace | None:
    """Fit, harmonise and blend a mask; retry with another hang while the coverage contradicts the wear.

    Args:
        image: (height, width, 3) uint8 BGR, other faces masked already; not changed.
        context: The face to mask.
        template: The mask; None for a blend that uses no template.
        plan: The random choices.
        options: The run's options.

    Returns:
        The result of the last attempt, or None if the mask lies outside the image.
    """
    if template is None or not template.recolourable:
        plan = replace(plan, color=None, pattern=None)
    landmarks, tries = context.landmarks, 1
    layer = _fit(context, template, plan, options)
    while layer is not None and options.jitter and template is not None and tries < _TRIES:
        _, visible_shares = coverage(layer.alpha, landmarks, layer.origin)
        if wear_agrees(plan.wear, visible_shares):
            break
        plan = replace(plan, hang=draw_hang(plan.seed, tries))
        layer, tries = _fit(context, template, plan, options), tries + 1
    return None if layer is None else _finish(image, context, layer, plan, options, tries)


def _fit(
    context: FaceContext, template: MaskTemplate | None, plan: Plan, options: SynthOptions
) -> Layer | None:
    if template is None:
        layer = lower_face_layer(context.landmarks)
    else:
        layer = FIT_FUNCTIONS[options.fit](template, plan, context.landmarks, context.light_direction)
    return None if layer is None or not layer.alpha.any() else layer


def _finish(
    image: Image, context: FaceContext, layer: Layer, plan: Plan, options: SynthOptions, tries: int
) -> MaskedFace:
    """Put what hides the mask before it, harmonise and blend it, and measure what it covers."""
    landmarks, fitted, occluded = context.landmarks, layer, 0.0
    drawn = options.blend != "flatten"
    if drawn and options.occlusion == "on" and (matte := occluders(context, layer)).any():
        alpha = (layer.alpha * (255 - matte.astype(np.uint16)) // 255).astype(np.uint8)
        occluded = round(1 - float(alpha.sum()) / max(float(layer.alpha.sum()), 1.0), 4)
        layer = replace(layer, alpha=alpha)
    if drawn and options.harmonise:
        # Poisson cloning takes the light's change over the face from the image itself.
        layer = harmonise(context, layer, plan.seed, follow_light=options.blend != "poisson")
    elif layer.exposure != 1:
        brighter = np.asarray(cv2.convertScaleAbs(layer.bgr, alpha=1 / layer.exposure), np.uint8)
        layer = replace(layer, bgr=brighter, exposure=1.0)
    composite = COMPOSITORS[options.blend](image, layer, context)
    shares, visible_shares = coverage(composite.alpha, landmarks, composite.origin)
    if occluded:
        # An occluder does not change how the mask is worn.
        _, visible_shares = coverage(fitted.alpha, landmarks, fitted.origin)
    return MaskedFace(composite, plan, shares, wear_agrees(plan.wear, visible_shares), tries, occluded)


def mask_image(
    image: Image,
    faces: Sequence[Landmarks] | Sequence[FaceContext],
    plans: Sequence[Plan],
    templates: Mapping[str, MaskTemplate],
    options: SynthOptions,
) -> Outcome:
    """Mask the faces of one image, the smallest (farthest) first: near masks lie on top.

    Args:
        image: (height, width, 3) uint8 BGR; not changed.
        faces: Landmarks, largest face first, as a `FaceLandmarker` returns them; or the contexts of these
            faces in ``image``, which several variants can share.
        plans: One for each face.
        templates: Templates by the names in the plans.
        options: The run's options.

    Returns:
        status "masked" with the image and one `FaceRecord` a face; "no_face" if none was given, "too_small"
        if all are below ``options.min_face``, "off_image" if no mask lies inside the image.
    """
    if not faces:
        return Outcome("no_face", "no step of the detection cascade found a face")
    contexts = [face if isinstance(face, FaceContext) else FaceContext(image, face) for face in faces]
    sizes = [context.landmarks.eye_distance for context in contexts]
    if (widest := max(sizes)) < options.min_face:
        reason = f"outer eye corners {widest:.1f} px apart, below --min-face {options.min_face:g}"
        return Outcome("too_small", reason)
    masked, alpha = image.copy(), np.zeros(image.shape[:2], np.uint8)
    records: list[FaceRecord] = []
    for context, plan, size in reversed(list(zip(contexts, plans, sizes, strict=True))):
        template = templates[plan.template] if plan.template else None
        if size < options.min_face or not (
            masked_face := mask_face(masked, context, template, plan, options)
        ):
            continue
        window = masked_face.composite.window
        masked[window] = masked_face.composite.bgr
        np.maximum(alpha[window], masked_face.composite.alpha, out=alpha[window])
        records.append(_record(context.landmarks, masked_face, template, options))
    if not records:
        return Outcome("off_image", "the mask lies outside the image")
    return Outcome("masked", None, masked, alpha, tuple(records[::-1]))


def _record(
    landmarks: Landmarks, masked_face: MaskedFace, template: MaskTemplate | None, options: SynthOptions
) -> FaceRecord:
    composite, plan = masked_face.composite, masked_face.plan
    # A composite has a margin around the mask that is not part of the mask.
    x, y, width, height = cv2.boundingRect(composite.alpha)
    face_x, face_y, face_width, face_height = (round(value) for value in landmarks.box)
    anchors = (_LISTED_SHARES @ landmarks.points[:, :2]).tolist()
    return FaceRecord(
        box=(face_x, face_y, face_width, face_height),
        mask_box=(x + composite.origin[0], y + composite.origin[1], width, height),
        pose=landmarks.pose,
        landmarks={
            name: (round(x, 2), round(y, 2)) for name, (x, y) in zip(_LISTED_ANCHORS, anchors, strict=True)
        },
        detection=landmarks.step,
        template=template.name if template else None,
        template_sha256=template.sha256 if template else None,
        kind=template.kind if template else None,
        tone=template.tone if template else None,
        color=plan.color,
        pattern=plan.pattern,
        fit=options.fit if template else "polygon",
        blend=options.blend,
        wear=plan.wear,
        wear_agrees=masked_face.agrees,
        tries=masked_face.tries,
        occluded=masked_face.occluded,
        coverage=masked_face.coverage,
        mesh_score=landmarks.mesh_score,
        mask_score=landmarks.mask_score,
    )


def choose_faces(faces: Sequence[Landmarks], which: str) -> list[Landmarks]:
    """Select faces by ``--faces largest|all|center``, largest first."""
    if which == "all" or not faces:
        return list(faces)
    if which == "largest":
        return [faces[0]]
    middle = np.array(faces[0].image_size) / 2
    boxes = np.array([face.box for face in faces])
    off_center = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] / 2 - middle, axis=1)
    return [faces[int(off_center.argmin())]]
