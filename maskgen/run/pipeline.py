"""Samples on their way from a file to encoded masked images, a few at a time, stage by stage.

What goes wrong with one input becomes its outcome, and the run goes on. What goes wrong with the landmark
model, a template or the machine ends the run: the next thousand inputs would fare no better.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from maskgen.errors import MachineError, ModelError, TemplateError, UnreadableImageError
from maskgen.face_mesh import Landmarks
from maskgen.files.redaction import public_text
from maskgen.files.suffixes import KEPT
from maskgen.files.tar import read_sample
from maskgen.images.codec import DecodedImage, EncodedImage, common_format, decode, encode, encode_grey_png
from maskgen.landmarks import FaceLandmarker, LandmarkerSpec, open_landmarker
from maskgen.masking.face.context import FaceContext
from maskgen.masking.mask_face import choose_faces, mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.records import Image, MaskTemplate, Outcome, Sample
from maskgen.run.state.time_limit import TimeLimit, unlimited

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class ShardTask:
    """What a worker process must know to do any shard of a run; pickled with each.

    Attributes:
        options: The run's options.
        out: The output folder.
        landmarker: What finds the faces.
        templates: (name or path, sha256) of each template that a plan can draw.
        several_faces: Whether the dataset's images commonly show more than one face.
        model_sha256: Of the landmark model or file, so that a changed one is opened anew.
        fingerprint: Of the run's configuration.
        folder: Where relative paths of templates start; a cluster's workers were started elsewhere.
        max_pixels: The largest image that is decoded, whatever the worker's own environment says.
        tar_suffix: Of the images in tars, from `maskgen.results.tar_writer.tar_suffix`; None for other
        layouts.
        sync: Whether a shard is written through to the disk before it counts as done.
        fatal: Id -> reason of the samples over which processes have died: none is to try them again.
        unread: Those of them over whose reading processes have died.
        image_timeout: Seconds that each step of an image may take; None sets no limit.
    """

    options: SynthOptions
    out: Path
    landmarker: LandmarkerSpec
    templates: tuple[tuple[str, str], ...]
    several_faces: bool
    model_sha256: str | None
    fingerprint: str = ""
    folder: Path = Path()
    max_pixels: int | None = None
    tar_suffix: str | None = None
    sync: bool = True
    fatal: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    image_timeout: float | None = None


@dataclass(frozen=True, eq=False)
class EncodedVariant:
    """One variant of one input, encoded; the outcome says why if there is no image."""

    outcome: Outcome
    image: EncodedImage | None = None
    alpha: bytes | None = None


@dataclass(frozen=True, eq=False)
class MaskedSample:
    """What became of one input, before anything is written.

    Attributes:
        images: One for each variant.
        sha256: Of the source's bytes; None if they could not be read.
        unmasked: The source through the same encoder, for ``--pairs``.
        note: What decoding left behind, for the manifest.
    """

    pictures: tuple[EncodedVariant, ...]
    sha256: str | None = None
    unmasked: bytes | None = None
    note: str | None = None


def mask_sample(sample: Sample, task: ShardTask) -> MaskedSample:
    """Read one input, find its faces once, and mask them once for each variant.

    Whatever is wrong with the input becomes an `Outcome`, the same for each variant.
    """
    (masked,) = mask_samples((sample,), task)
    return masked


def mask_samples(
    samples: Iterable[Sample], task: ShardTask, limit: TimeLimit | None = None
) -> Iterator[MaskedSample]:
    """As `mask_sample` for each, in order.

    A few at a time, stage by stage: a stage that follows itself finds its code and tables in the processor's
    caches, which the landmark model empties, and takes little more than half the time.

    Args:
        samples: The inputs.
        task: The run's.
        limit: Is told of each stage of each sample; None times nothing.
    """
    rest, limit = iter(samples), limit or TimeLimit(None)
    while group := _begin(rest, task, limit):
        for stage in range(1, _STAGES + 1):
            for work in group:
                work.go_on(stage)
        limit.pause()
        yield from (work.masked for work in group if work.masked)


# The most of a group, in samples and in pixels of all variants.
_GROUP, _GROUP_PIXELS = 32, 1 << 22
_STAGES = 3  # after an image has been decoded


class _Work:
    """One sample on its way; `masked` once it is done."""

    def __init__(self, sample: Sample, task: ShardTask, limit: TimeLimit) -> None:
        self._stages, self._id, self._limit = _stages(sample, task), sample.id, limit
        self.masked: MaskedSample | None = None

    def go_on(self, stage: int = 0) -> int:
        """Do this stage, the next one, and return the pixels that are kept for those after it."""
        if self.masked is None:
            self._limit.begin(self._id, stage)
            try:
                return next(self._stages)
            except StopIteration as end:
                self.masked = end.value
        return 0


def _begin(samples: Iterator[Sample], task: ShardTask, limit: TimeLimit) -> list[_Work]:
    """The next samples, read and decoded, as many as make a group."""
    group: list[_Work] = []
    pixels = 0
    while len(group) < _GROUP and pixels < _GROUP_PIXELS and (sample := next(samples, None)):
        group.append(_Work(sample, task, limit))
        pixels += group[-1].go_on()
    return group


def _stages(sample: Sample, task: ShardTask) -> Generator[int, None, MaskedSample]:
    """What is done for one sample; stops after each stage but the last, at the pixels that are kept."""
    options = task.options
    sha256: str | None = None

    def same(status: str, reason: str) -> MaskedSample:
        return MaskedSample(
            (EncodedVariant(Outcome(status, public_text(reason))),) * options.variants, sha256
        )

    try:
        reason = task.fatal.get(sample.id)
        if sample.id not in task.unread:
            data = read_sample(sample)
            sha256 = hashlib.sha256(data).hexdigest()
        if reason:
            return same("error", reason)
        decoded = decode(data, task.max_pixels)
        del data
        kept = decoded.bgr.size // 3 * options.variants
        yield kept
        looks = [FaceContext(decoded.bgr, face) for face in _find(sample, decoded, task)]
        yield kept
        outcomes = [_mask(sample, decoded, looks, variant, task) for variant in range(options.variants)]
        yield kept
        pictures = tuple(_encoded(outcome, decoded, options) for outcome in outcomes)
        unmasked = (
            _encode(decoded.bgr, decoded, options).data
            if options.pairs and any(picture.image for picture in pictures)
            else None
        )
    except (OSError, ImportError) as error:
        raise MachineError.of(error) from error
    except UnreadableImageError as error:
        return same("unreadable", str(error))
    except (ModelError, TemplateError):
        raise
    # No image, however odd, may end a run of a million others, and cv2, mediapipe and Pillow raise what
    # they like.
    except Exception as error:
        log.debug("%s", sample.id, exc_info=True)
        return same("error", f"{type(error).__name__}: {' '.join(str(error).split())}")
    return MaskedSample(pictures, sha256, unmasked, decoded.note)


def _find(sample: Sample, decoded: DecodedImage, task: ShardTask) -> list[Landmarks]:
    which = task.options.faces
    found = _landmarker(task.landmarker, task.model_sha256).find(
        decoded.bgr,
        boxes=sample.boxes,
        sample_id=sample.id,
        every_face=which != "largest" or task.several_faces,
    )
    return choose_faces(found, which)


def _mask(
    sample: Sample, decoded: DecodedImage, faces: Sequence[FaceContext], variant: int, task: ShardTask
) -> Outcome:
    options = task.options
    plans = [plan(options, sample.id, variant, face) for face in range(len(faces))]
    known = dict(task.templates)
    drawn = {each.template for each in plans if each.template}
    templates = {name: _template(_place(name, task.folder), known[name]) for name in drawn}
    return mask_image(decoded.bgr, faces, plans, templates, options)


def _encoded(outcome: Outcome, decoded: DecodedImage, options: SynthOptions) -> EncodedVariant:
    if outcome.image is None or outcome.alpha is None:
        return EncodedVariant(outcome)
    alpha = encode_grey_png(outcome.alpha) if options.alpha else None
    return EncodedVariant(outcome, _encode(outcome.image, decoded, options), alpha)


def _encode(bgr: Image, decoded: DecodedImage, options: SynthOptions) -> EncodedImage:
    form = None if options.format == "source" else options.format
    if form is None and decoded.format not in KEPT[options.layout]:
        form = common_format(decoded)
    return encode(bgr, decoded, form, options.quality)


@lru_cache(maxsize=1)
def _landmarker(spec: LandmarkerSpec, sha256: str | None) -> FaceLandmarker:
    """Opened once per process: the models take most of a second to load."""
    with unlimited():
        return open_landmarker(spec)


@lru_cache(maxsize=64)
def _place(name: str, folder: Path) -> str:
    return str(folder / name) if Path(name).suffix.lower() in (".png", ".json") else name


# Each takes several megabytes with its pyramid, and most runs use a few.
@lru_cache(maxsize=64)
def _template(name: str, sha256: str) -> MaskTemplate:
    template = load_template(name)
    if template.sha256 != sha256:
        raise TemplateError(f"{name} has changed since the run began; start it again with --overwrite")
    return template
