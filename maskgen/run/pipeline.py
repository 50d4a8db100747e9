"""The four stages of a sample: read and decode, find faces, mask, encode.

An error in one input becomes the outcome of that input, and the run continues. An error in the landmark
model, a template or the machine stops the run, because every later input would fail too.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """The parameters of a worker process, the same for every shard of a run; pickled with each shard.

    Attributes:
        options: The options of the run.
        out: The output folder.
        landmarker: The landmark engine.
        templates: (name or path, sha256) of each template that a plan can draw.
        several_faces: Whether images of the dataset commonly show more than one face.
        model_sha256: sha256 of the landmark model or file; a changed one is opened again.
        fingerprint: Fingerprint of the run's configuration.
        folder: Base of relative template paths; cluster workers start in another folder.
        max_pixels: The largest image that is decoded; wins over the worker's environment.
        tar_suffix: Suffix of images in tars, from `maskgen.results.output_files.tar_suffix`; None for other
            layouts.
        sync: Whether a shard is flushed to the disk before it counts as done.
        fatal: Id -> reason of the samples that killed processes; they are not tried again.
        unread: Ids of the fatal samples that are not even read.
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
    """One encoded variant of one input; without an image, the outcome holds the reason."""

    outcome: Outcome
    image: EncodedImage | None = None
    alpha: bytes | None = None


@dataclass(frozen=True, eq=False)
class MaskedSample:
    """The result of one input, before anything is written.

    Attributes:
        variants: One for each variant.
        sha256: sha256 of the source's bytes; None if they cannot be read.
        unmasked: The source from the same encoder, for ``--pairs``.
        note: A remark of the decoder for the manifest.
    """

    variants: tuple[EncodedVariant, ...]
    sha256: str | None = None
    unmasked: bytes | None = None
    note: str | None = None


def mask_sample(sample: Sample, task: ShardTask) -> MaskedSample:
    """Read one input, find its faces once, and mask them once for each variant.

    An error in the input becomes an `Outcome`, the same for each variant.
    """
    (masked,) = mask_samples((sample,), task)
    return masked


def mask_samples(
    samples: Iterable[Sample], task: ShardTask, limit: TimeLimit | None = None
) -> Iterator[MaskedSample]:
    """Mask samples as `mask_sample` does, in order.

    Each stage runs over a group of samples, so that its code and tables stay in the CPU cache (little more
    than half the time of sample by sample).

    Args:
        samples: The input samples.
        task: The task of the run.
        limit: The time limit of each stage of each sample; None sets none.
    """
    remaining, limit = iter(samples), limit or TimeLimit(None)
    while group := _read_group(remaining, task, limit):
        for stage in range(1, len(_STAGES)):
            for work in group:
                work.run(stage, limit)
        limit.pause()
        yield from (work.masked for work in group if work.masked)


# The maximum of a group, in samples and in pixels of all variants.
_GROUP, _GROUP_PIXELS = 32, 1 << 22


def _read_group(samples: Iterator[Sample], task: ShardTask, limit: TimeLimit) -> list[_Work]:
    """The next group of samples, read and decoded."""
    group: list[_Work] = []
    pixels = 0
    while len(group) < _GROUP and pixels < _GROUP_PIXELS and (sample := next(samples, None)):
        work = _Work(sample, task)
        work.run(0, limit)
        group.append(work)
        pixels += work.pixels
    return group


class _Work:
    """One sample in the pipeline; `masked` is its result as soon as there is one."""

    _decoded: DecodedImage
    _faces: list[FaceContext]
    _outcomes: list[Outcome]

    def __init__(self, sample: Sample, task: ShardTask) -> None:
        self._sample, self._task = sample, task
        self._sha256: str | None = None
        self.pixels = 0
        self.masked: MaskedSample | None = None

    def run(self, stage: int, limit: TimeLimit) -> None:
        """Run a stage, unless the sample has its result already."""
        if self.masked is not None:
            return
        limit.begin(self._sample.id, stage)
        try:
            _STAGES[stage](self)
        except (OSError, ImportError) as error:
            raise MachineError.of(error) from error
        except UnreadableImageError as error:
            self._fail("unreadable", str(error))
        except (ModelError, TemplateError):
            raise
        # A bad image must not stop the run; cv2, mediapipe and Pillow raise arbitrary exceptions.
        except Exception as error:
            log.debug("%s", self._sample.id, exc_info=True)
            self._fail("error", f"{type(error).__name__}: {' '.join(str(error).split())}")

    def _fail(self, status: str, reason: str) -> None:
        failed = EncodedVariant(Outcome(status, public_text(reason)))
        self.masked = MaskedSample((failed,) * self._task.options.variants, self._sha256)

    def read(self) -> None:
        sample, task = self._sample, self._task
        reason = task.fatal.get(sample.id)
        if sample.id not in task.unread:
            data = read_sample(sample)
            self._sha256 = hashlib.sha256(data).hexdigest()
        if reason:
            self._fail("error", reason)
            return
        self._decoded = decode(data, task.max_pixels)
        self.pixels = self._decoded.bgr.size // 3 * task.options.variants

    def find_faces(self) -> None:
        landmarks = _find_landmarks(self._sample, self._decoded, self._task)
        self._faces = [FaceContext(self._decoded.bgr, face) for face in landmarks]

    def mask(self) -> None:
        self._outcomes = [
            _mask_variant(self._sample, self._decoded, self._faces, variant, self._task)
            for variant in range(self._task.options.variants)
        ]

    def encode(self) -> None:
        decoded, options = self._decoded, self._task.options
        variants = tuple(_encode_variant(outcome, decoded, options) for outcome in self._outcomes)
        pairs = options.pairs and any(variant.image for variant in variants)
        unmasked = _encode(decoded.bgr, decoded, options).data if pairs else None
        self.masked = MaskedSample(variants, self._sha256, unmasked, decoded.note)
        del self._decoded, self._faces, self._outcomes


_STAGES = (_Work.read, _Work.find_faces, _Work.mask, _Work.encode)


def _find_landmarks(sample: Sample, decoded: DecodedImage, task: ShardTask) -> list[Landmarks]:
    choice = task.options.faces
    faces = _landmarker(task.landmarker, task.model_sha256).find(
        decoded.bgr,
        boxes=sample.boxes,
        sample_id=sample.id,
        every_face=choice != "largest" or task.several_faces,
    )
    return choose_faces(faces, choice)


def _mask_variant(
    sample: Sample, decoded: DecodedImage, faces: Sequence[FaceContext], variant: int, task: ShardTask
) -> Outcome:
    options = task.options
    plans = [plan(options, sample.id, variant, face) for face in range(len(faces))]
    sha256s = dict(task.templates)
    names = {each.template for each in plans if each.template}
    templates = {name: _template(_template_path(name, task.folder), sha256s[name]) for name in names}
    return mask_image(decoded.bgr, faces, plans, templates, options)


def _encode_variant(outcome: Outcome, decoded: DecodedImage, options: SynthOptions) -> EncodedVariant:
    if outcome.image is None or outcome.alpha is None:
        return EncodedVariant(outcome)
    alpha = encode_grey_png(outcome.alpha) if options.alpha else None
    return EncodedVariant(outcome, _encode(outcome.image, decoded, options), alpha)


def _encode(bgr: Image, decoded: DecodedImage, options: SynthOptions) -> EncodedImage:
    target = None if options.format == "source" else options.format
    if target is None and decoded.format not in KEPT[options.layout]:
        target = common_format(decoded)
    return encode(bgr, decoded, target, options.quality)


@lru_cache(maxsize=1)
def _landmarker(spec: LandmarkerSpec, sha256: str | None) -> FaceLandmarker:
    """Open the engine once per process: loading takes most of a second."""
    with unlimited():
        return open_landmarker(spec)


@lru_cache(maxsize=64)
def _template_path(name: str, folder: Path) -> str:
    return str(folder / name) if Path(name).suffix.lower() in (".png", ".json") else name


# A template with its pyramid takes several megabytes; most runs use a few templates.
@lru_cache(maxsize=64)
def _template(name: str, sha256: str) -> MaskTemplate:
    template = load_template(name)
    if template.sha256 != sha256:
        raise TemplateError(f"{name} has changed since the run began; restart the run with --overwrite")
    return template
