"""`Masker`: put masks on the faces of an image in memory."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from maskgen.api.engines import ENGINES
from maskgen.api.pixels import (
    CHANNEL_ORDERS,
    AnyImage,
    AnyLandmarks,
    ChannelOrder,
    from_bgr,
    opencv_as_in_synth,
    to_bgr,
    to_landmarks,
)
from maskgen.api.reading import decode_sample
from maskgen.errors import UsageError
from maskgen.face_mesh import Landmarks
from maskgen.landmarks import LandmarkerSpec
from maskgen.masking.mask_face import mask_image
from maskgen.masking.materials.prints import MOTIFS
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template, resolve_selection, split_weight
from maskgen.masking.templates.recolor import parse_color
from maskgen.options import SynthOptions
from maskgen.records import Box, FaceRecord, Image, MaskTemplate, Sample
from maskgen.run.face_choice import choose

if TYPE_CHECKING:
    from typing_extensions import Unpack

# One value, several, or value -> weight.
Choice = str | Path | Sequence[str | Path] | Mapping[str, float]


class MoreOptions(TypedDict, total=False):
    """Further options of `Masker`, with the meaning and the defaults they have for ``maskgen synth``."""

    color: Choice  # "#rrggbb", a colour name or "random"; recolours the templates that allow it
    pattern: Choice  # "stripes", "checks", ... or "random"; prints on the templates that allow it
    fit: Literal["mesh", "half-split"]
    jitter: bool
    occlusion: Literal["on", "off"]
    harmonise: bool
    faces: Literal["largest", "all", "center"]
    min_face: float  # least distance of the outer eye corners, in pixels
    masked_faces: Literal["skip", "mask", "flag"]  # what becomes of faces that wear a mask already
    keep_unsure: bool  # also mask faces whose landmarks do not look right
    detector: Literal["mediapipe", "haar"]
    every_face: bool  # search the whole image for faces, also with faces="largest"; as for several_faces


@dataclass(frozen=True, eq=False)
class MaskResult:
    """The result of one image; false if no face was masked.

    Attributes:
        image: (height, width, 3) uint8 in the masker's channel order, an array of its own. Without a mask, it
            has the given pixels.
        alpha: (height, width) uint8, the mask's opacity; 0 without a mask.
        faces: A record for each masked face, as in the manifest, largest first.
        status: As in the manifest: "masked", "no_face", "too_small", "off_image", ...
        reason: Why no face was masked; None if one was.
        key: What the random choices were drawn from, with the seed.
        landmarks: The faces that were to be masked; they can be given again.
    """

    image: Image
    alpha: Image
    faces: tuple[FaceRecord, ...]
    status: str
    reason: str | None
    key: str
    landmarks: tuple[Landmarks, ...]

    def __bool__(self) -> bool:
        return self.status == "masked"


class Masker:
    """Masks the faces of images in memory, with the bytes of ``maskgen synth`` before encoding.

    The object can be pickled, copied to worker processes and shared by threads: it holds options only. Each
    process opens the landmark model once, when it first looks for a face; threads wait for each other there.

    Args:
        template: Templates to draw from, as for ``--template``: "street" is a mix as photographs of people in
            masks show it. A mapping gives weights: ``{"surgical": 3, "cloth": 1}``.
        blend: "overlay", "poisson" or "flatten".
        wear: "correct", "nose-out", "mouth-out" or "chin", or several with weights.
        seed: The seed of all random choices, as for ``--seed``.
        channel_order: Of arrays, given and returned: "rgb", or "bgr" as OpenCV reads them.
        landmarks: A landmark file (``maskgen landmarks``), read by ``key`` instead of running a model; or an
            engine's name.
        models: The folder of the model files, as for ``--models``.
        options: `MoreOptions`.

    Raises:
        UsageError: A value is not one of those allowed; the message lists them.

    Examples:
        >>> import maskgen
        >>> sample = next(iter(maskgen.open_dataset("sample")))
        >>> result = maskgen.Masker(template="n95", seed=1)(sample)
        >>> bool(result), result.image.shape == result.alpha.shape + (3,), result.faces[0].kind
        (True, True, 'n95')
    """

    def __init__(
        self,
        template: Choice = "street",
        blend: Literal["overlay", "poisson", "flatten"] = "overlay",
        wear: Choice = "correct",
        seed: int = 0,
        *,
        channel_order: ChannelOrder = "rgb",
        landmarks: str | Path = "litert",
        models: str | Path | None = None,
        **options: "Unpack[MoreOptions]",
    ) -> None:
        if unknown := options.keys() - MoreOptions.__annotations__.keys():
            known = ", ".join(MoreOptions.__annotations__)
            raise TypeError(f"Masker has no option {min(unknown)!r}; further options are {known}")
        if channel_order not in CHANNEL_ORDERS:
            raise UsageError(
                f"channel_order must be one of {', '.join(CHANNEL_ORDERS)}, got {channel_order!r}"
            )
        more: dict[str, Any] = dict(options)
        self.every_face = bool(more.pop("every_face", False))
        self.channel_order = channel_order
        self.options = SynthOptions(
            dataset="",
            blend=blend,
            templates=tuple(resolve_selection(_tokens(template))),
            wears=tuple(map(split_weight, _tokens(wear))),
            colors=tuple(map(_color, _tokens(more.pop("color", ())))),
            patterns=tuple(map(_pattern, _tokens(more.pop("pattern", ())))),
            landmarks=str(landmarks),
            seed=seed,
            **more,
        )
        self.landmarker = LandmarkerSpec(
            self.options.landmarks, None if models is None else Path(models), self.options.detector
        )

    def __call__(
        self,
        image: AnyImage | Sample,
        *,
        key: str | None = None,
        landmarks: AnyLandmarks | Sequence[AnyLandmarks] | str | None = None,
        boxes: Sequence[Box] = (),
        variant: int = 0,
    ) -> MaskResult:
        """Mask the faces of one image.

        Args:
            image: (height, width, 3) uint8 array in `channel_order`, or a Pillow image in any mode; not
                changed. Or a `Sample` of `open_dataset`, which gives ``key`` and ``boxes`` too.
            key: What the random choices are drawn from, with the seed: the same key gives the same mask. With
                the id of a dataset's sample it is the mask of ``maskgen synth``. By default the key is a
                digest of the pixels; for another mask in each epoch, put the epoch into it.
            landmarks: The faces, instead of searching: a `Landmarks`, a (468, 3) array of a face mesh's x, y,
                z in pixels, or a sequence of these; an empty one means that there is no face. A text is the
                image's id in the landmark file, where that is not the key.
            boxes: Face boxes (x, y, width, height) in pixels; if there are any, only they are searched.
            variant: The number of the copy, as for ``--variants``.

        Raises:
            UnreadableImageError: A sample cannot be read or decoded.
            UsageError: The image or the landmarks have another shape or type.
        """
        bgr, key, boxes = self._input(image, key, boxes)
        with opencv_as_in_synth():
            if landmarks is None or isinstance(landmarks, str):
                faces = self._find(bgr, landmarks or key, boxes)
            else:
                faces = to_landmarks(landmarks, bgr)
            choice = choose(faces, self.options)
            plans = [plan(self.options, key, variant, number) for number in range(len(choice.faces))]
            templates = {each.template: _template(each.template) for each in plans if each.template}
            outcome = choice.refusal
            if outcome is None:
                outcome = choice.noted(mask_image(bgr, choice.faces, plans, templates, self.options))
        masked = bgr.copy() if outcome.image is None else outcome.image
        alpha = np.zeros(bgr.shape[:2], np.uint8) if outcome.alpha is None else outcome.alpha
        return MaskResult(
            from_bgr(masked, self.channel_order),
            alpha,
            outcome.faces,
            outcome.status,
            outcome.reason,
            key,
            tuple(choice.faces),
        )

    def find(
        self, image: AnyImage | Sample, *, key: str | None = None, boxes: Sequence[Box] = ()
    ) -> list[Landmarks]:
        """The faces of an image, largest first, to be kept and given as ``landmarks``.

        All faces if the options ask for more than the largest, else those of the first step of the search
        that finds any. ``key`` is the name in a landmark file.
        """
        bgr, key, boxes = self._input(image, key, boxes)
        with opencv_as_in_synth():
            return self._find(bgr, key, boxes)

    def _input(
        self, image: AnyImage | Sample, key: str | None, boxes: Sequence[Box]
    ) -> tuple[Image, str, Sequence[Box]]:
        if isinstance(image, Sample):
            return decode_sample(image), image.id if key is None else key, boxes or image.boxes
        bgr = to_bgr(image, self.channel_order)
        return bgr, _digest(bgr) if key is None else key, boxes

    def _find(self, bgr: Image, key: str, boxes: Sequence[Box]) -> list[Landmarks]:
        every_face = self.every_face or self.options.faces != "largest"
        with ENGINES.use(self.landmarker) as engine:
            return engine.find(bgr, boxes=boxes, sample_id=key, every_face=every_face)

    def __repr__(self) -> str:
        options, plain = vars(self.options), vars(SynthOptions(dataset=""))
        given = [f"{name}={value!r}" for name, value in options.items() if value != plain[name]]
        return f"<maskgen.Masker {' '.join(given)}>"


# An image of a template takes megabytes, and most maskers use a few templates.
@lru_cache(maxsize=64)
def _template(name: str) -> MaskTemplate:
    return load_template(name)


def _digest(bgr: Image) -> str:
    return hashlib.sha256(np.ascontiguousarray(bgr).data).hexdigest()


def _tokens(choice: Choice) -> tuple[str, ...]:
    """A choice as the command line has it: one text for each value, with its weight."""
    if isinstance(choice, Mapping):
        return tuple(f"{value}={weight}" for value, weight in choice.items())
    return (str(choice),) if isinstance(choice, (str, Path)) else tuple(map(str, choice))


def _color(name: str) -> str:
    return name if name == "random" else parse_color(name)


def _pattern(name: str) -> str:
    if name not in (*MOTIFS, "random"):
        raise UsageError(f"pattern must be one of {', '.join(MOTIFS)} or random, got {name!r}")
    return name
