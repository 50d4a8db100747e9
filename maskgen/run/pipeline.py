"""The four stages of a sample: read and decode, find faces, mask, encode.

An error in one input becomes the outcome of that input, and the run continues. An error in the landmark
model, a template or the machine stops the run, because every later input would fail too.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from maskgen.errors import MachineError, ModelError, TemplateError, UnreadableImageError
from maskgen.files.redaction import public_text
from maskgen.files.suffixes import KEPT
from maskgen.files.tar import read_sample
from maskgen.images.codec import DecodedImage, EncodedImage, common_format, decode, encode, encode_grey_png
from maskgen.landmarks import FaceLandmarker, LandmarkerSpec, open_landmarker
from maskgen.masking.face.context import FaceContext
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.records import Image, MaskTemplate, Outcome, Sample
from maskgen.run.face_choice import FaceChoice, choose
from maskgen.run.state.time_limit import TimeLimit, unlimited

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class ShardTask:
    """The parameters of a worker process, the same for every shard of a run; pickled with each shard.

    Attributes:
        options: The options of the run.
        out: The output folder.
        config: Everything that affects the bytes, from `maskgen.run.state.output_claim.describe`.
        landmarker: The landmark engine.
        several_faces: Whether images of the dataset commonly show more than one face.
        folder: Base of relative template paths; cluster workers start in another folder.
        tar_suffix: `maskgen.results.output_files.tar_suffix` of the images; None for other layouts.
        sync: Whether a shard is flushed to the disk before it counts as done.
        image_timeout: Seconds that each step of an image may take; None sets no limit.
        fatal: Id -> reason of the samples that killed processes; they are not tried again.
        unread: Ids of the fatal samples that are not even read.
    """

    options: SynthOptions
    out: Path
    config: Mapping[str, Any]
    landmarker: LandmarkerSpec
    several_faces: bool
    folder: Path
    tar_suffix: str | None
    sync: bool
    image_timeout: float | None
    fatal: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()


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


def mask_samples(
    samples: Iterable[Sample], task: ShardTask, limit: TimeLimit | None = None
) -> Iterator[MaskedSample]:
    """Read each sample, find its faces once, and mask them once for each variant, in order.

    An error in an input becomes an `Outcome`, the same for each variant. Each stage runs over a group of
    samples, so that its code and tables stay in the CPU cache (little more than half the time of sample by
    sample), and within the time limit.
    """
    group: list[_Work] = []
    limit = limit or TimeLimit(None)
    for sample in samples:
        group.append(_Work(sample, task))
        group[-1].run(_Work.read, limit)
        if len(group) == _GROUP or sum(work.pixels for work in group) >= _GROUP_PIXELS:
            yield from _mask_group(group, limit)
            group = []
    yield from _mask_group(group, limit)


# The maximum of a group, in samples and in pixels of all variants.
_GROUP, _GROUP_PIXELS = 32, 1 << 22


def _mask_group(group: Sequence[_Work], limit: TimeLimit) -> Iterator[MaskedSample]:
    for stage in (_Work.find_faces, _Work.mask, _Work.encode):
        for work in group:
            work.run(stage, limit)
    limit.pause()
    yield from (work.masked for work in group if work.masked)


class _Work:
    """One sample in the pipeline; `masked` is its result as soon as there is one."""

    _decoded: DecodedImage
    _choice: FaceChoice
    _faces: list[FaceContext]

    def __init__(self, sample: Sample, task: ShardTask) -> None:
        self._sample, self._task = sample, task
        self._sha256: str | None = None
        self._outcomes: list[Outcome] = []
        self.pixels = 0
        self.masked: MaskedSample | None = None

    def run(self, stage: Callable[[_Work], None], limit: TimeLimit) -> None:
        """Run a stage, unless the sample has its result already."""
        if self.masked is not None:
            return
        limit.begin(self._sample.id, stage.__name__)
        try:
            stage(self)
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
        if sample.id not in task.unread:
            data = read_sample(sample)
            self._sha256 = hashlib.sha256(data).hexdigest()
        if sample.id in task.fatal:
            self._fail("error", task.fatal[sample.id])
            return
        self._decoded = decode(data, task.config["max_pixels"])
        self.pixels = self._decoded.bgr.size // 3 * task.options.variants

    def find_faces(self) -> None:
        self._choice = _choose_faces(self._sample, self._decoded, self._task)
        if (refusal := self._choice.refusal) is not None:
            self._fail(refusal.status, str(refusal.reason))
            return
        self._faces = [FaceContext(self._decoded.bgr, face) for face in self._choice.faces]

    def mask(self) -> None:
        options, task = self._task.options, self._task
        for variant in range(options.variants):
            plans = [plan(options, self._sample.id, variant, face) for face in range(len(self._faces))]
            names = {each.template for each in plans if each.template}
            sha256s = task.config["templates"]
            templates = {name: _template(name, task.folder, sha256s[name]) for name in names}
            outcome = mask_image(self._decoded.bgr, self._faces, plans, templates, options)
            self._outcomes.append(self._choice.noted(outcome))

    def encode(self) -> None:
        variants = tuple(map(self._encode_variant, self._outcomes))
        pairs = self._task.options.pairs and any(variant.image for variant in variants)
        unmasked = self._encode(self._decoded.bgr).data if pairs else None
        self.masked = MaskedSample(variants, self._sha256, unmasked, self._decoded.note)
        del self._decoded, self._faces, self._outcomes

    def _encode_variant(self, outcome: Outcome) -> EncodedVariant:
        if outcome.image is None or outcome.alpha is None:
            return EncodedVariant(outcome)
        alpha = encode_grey_png(outcome.alpha) if self._task.options.alpha else None
        return EncodedVariant(outcome, self._encode(outcome.image), alpha)

    def _encode(self, bgr: Image) -> EncodedImage:
        options, decoded = self._task.options, self._decoded
        target = None if options.format == "source" else options.format
        if target is None and decoded.format not in KEPT[options.layout]:
            target = common_format(decoded)
        return encode(bgr, decoded, target, options.quality)


def _choose_faces(sample: Sample, decoded: DecodedImage, task: ShardTask) -> FaceChoice:
    every_face = task.options.faces != "largest" or task.several_faces
    landmarker = open_once(task.landmarker, task.config["landmark_model"]["sha256"])
    faces = landmarker.find(decoded.bgr, boxes=sample.boxes, sample_id=sample.id, every_face=every_face)
    return choose(faces, task.options)


@lru_cache(maxsize=1)
def open_once(spec: LandmarkerSpec, sha256: str | None = None) -> FaceLandmarker:
    """Open the engine once per process: loading takes most of a second."""
    with unlimited():
        return open_landmarker(spec)


# A template with its pyramid takes several megabytes; most runs use a few templates.
@lru_cache(maxsize=64)
def _template(name: str, folder: Path, sha256: str) -> MaskTemplate:
    path = str(folder / name) if Path(name).suffix.lower() in (".png", ".json") else name
    template = load_template(path)
    if template.sha256 != sha256:
        raise TemplateError(f"{path} has changed since the run began; restart the run with --overwrite")
    return template
