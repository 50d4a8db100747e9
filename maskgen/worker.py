"""One sample, and one shard of samples: read, find, mask, write, and the rows that say what became of each.

What goes wrong with one input becomes its row, and the run goes on. What goes wrong with the output, the
landmark model or a template ends the run: the next thousand inputs would fare no better.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import cv2

from maskgen.counts import RowCounter
from maskgen.errors import ModelError, TemplateError, UnreadableImageError
from maskgen.images import DecodedImage, EncodedImage, decode, encode, encode_grey_png
from maskgen.labels import label_of
from maskgen.landmarks import FaceLandmarker, LandmarkerSpec, open_landmarker
from maskgen.look import FaceLook
from maskgen.manifest import row_to_json
from maskgen.names import text_of
from maskgen.options import SynthOptions
from maskgen.records import Image, Landmarks, ManifestRow, MaskTemplate, Outcome, Sample
from maskgen.state import ROWS, RunFolder, Shard, ShardStats, digest
from maskgen.synth import choose_faces, mask_image, plan
from maskgen.tar_members import read_sample
from maskgen.tar_shards import open_tar_shard
from maskgen.templates import load_template
from maskgen.writers import Layout, Places, write_outputs

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class Task:
    """What a worker process must know to do any shard of a run; pickled with each.

    Attributes:
        options: The run's options.
        out: The output folder.
        landmarker: What finds the faces.
        templates: (name or path, sha256) of each template that a plan can draw.
        several_faces: Whether the dataset's pictures commonly show more than one face.
        model_sha256: Of the landmark model or file, so that a changed one is opened anew.
        folder: Where relative paths of templates start; a cluster's workers were started elsewhere.
        max_pixels: The largest picture that is decoded, whatever the worker's own environment says.
        fatal: Id -> reason of the samples over which processes have died: none is to try them again.
    """

    options: SynthOptions
    out: Path
    landmarker: LandmarkerSpec
    templates: tuple[tuple[str, str], ...]
    several_faces: bool
    model_sha256: str | None
    folder: Path = Path()
    max_pixels: int | None = None
    fatal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Picture:
    """One variant of one input, encoded; the outcome says why if there is no picture."""

    outcome: Outcome
    image: EncodedImage | None = None
    alpha: bytes | None = None


@dataclass(frozen=True, eq=False)
class Masked:
    """What became of one input, before anything is written.

    Attributes:
        pictures: One for each variant.
        sha256: Of the source's bytes; None if they could not be read.
        unmasked: The source through the same encoder, for ``--pairs``.
        note: What decoding left behind, for the manifest.
    """

    pictures: tuple[Picture, ...]
    sha256: str | None = None
    unmasked: bytes | None = None
    note: str | None = None


def mask_sample(sample: Sample, task: Task) -> Masked:
    """Read one input, find its faces once, and mask them once for each variant.

    Whatever is wrong with the input becomes an `Outcome`, the same for each variant.
    """
    options = task.options
    sha256: str | None = None

    def same(status: str, reason: str) -> Masked:
        return Masked((Picture(Outcome(status, reason)),) * options.variants, sha256)

    try:
        data = read_sample(sample)
        sha256 = hashlib.sha256(data).hexdigest()
        if reason := task.fatal.get(sample.id):
            return same("error", reason)
        decoded = decode(data, task.max_pixels)
        del data
        faces = _find(sample, decoded, task)
        looks = [FaceLook(decoded.bgr, face) for face in faces]
        pictures = tuple(_mask(sample, decoded, looks, variant, task) for variant in range(options.variants))
        unmasked = (
            _encode(decoded.bgr, decoded, options).data
            if options.pairs and any(picture.image for picture in pictures)
            else None
        )
    except FileNotFoundError:
        return same("unreadable", "file not found")
    except OSError as error:
        return same("unreadable", error.strerror or str(error))
    except UnreadableImageError as error:
        return same("unreadable", str(error))
    except (ModelError, TemplateError):
        raise
    # No picture, however odd, may end a run of a million others, and cv2, mediapipe and Pillow raise what
    # they like.
    except Exception as error:
        log.debug("%s", sample.id, exc_info=True)
        return same("error", f"{type(error).__name__}: {' '.join(str(error).split())}")
    return Masked(pictures, sha256, unmasked, decoded.note)


def _find(sample: Sample, decoded: DecodedImage, task: Task) -> list[Landmarks]:
    which = task.options.faces
    found = _landmarker(task.landmarker, task.model_sha256).find(
        decoded.bgr,
        boxes=sample.boxes,
        sample_id=sample.id,
        every_face=which != "largest" or task.several_faces,
    )
    return choose_faces(found, which)


def _mask(
    sample: Sample, decoded: DecodedImage, faces: Sequence[FaceLook], variant: int, task: Task
) -> Picture:
    options = task.options
    plans = [plan(options, sample.id, variant, face) for face in range(len(faces))]
    known = dict(task.templates)
    drawn = {each.template for each in plans if each.template}
    templates = {name: _template(_place(name, task.folder), known[name]) for name in drawn}
    outcome = mask_image(decoded.bgr, faces, plans, templates, options)
    if outcome.image is None or outcome.alpha is None:
        return Picture(outcome)
    alpha = encode_grey_png(outcome.alpha) if options.alpha else None
    encoded = _encode(outcome.image, decoded, options)
    return Picture(outcome, encoded, alpha)


def _encode(bgr: Image, decoded: DecodedImage, options: SynthOptions) -> EncodedImage:
    return encode(bgr, decoded, None if options.format == "source" else options.format, options.quality)


@lru_cache(maxsize=1)
def _landmarker(spec: LandmarkerSpec, sha256: str | None) -> FaceLandmarker:
    """Opened once per process: the models take most of a second to load."""
    return open_landmarker(spec)


def _place(name: str, folder: Path) -> str:
    return str(folder / name) if Path(name).suffix.lower() in (".png", ".json") else name


# Each takes several megabytes with its pyramid, and most runs use a few.
@lru_cache(maxsize=64)
def _template(name: str, sha256: str) -> MaskTemplate:
    template = load_template(name)
    if template.sha256 != sha256:
        raise TemplateError(f"{name} has changed since the run began; start it again with --overwrite")
    return template


def mask_shard(task: Task, shard: Shard) -> ShardStats:
    """Mask the samples of a shard and write all that comes of them; its stats file is the last.

    The same shard gives the same files, whatever earlier attempts at it have left behind.
    """
    cv2.setNumThreads(1)  # joblib limits the threads of BLAS, but not OpenCV's
    folder = RunFolder(task.out)
    scratch = folder.open_scratch(shard.index)
    options = task.options
    layout = layout_of(options)
    counter, hashed = RowCounter(options.label is not None), hashlib.sha256()
    with (scratch / ROWS).open("xb") as rows, open_tar_shard(task.out, scratch, shard.index) as tar:
        for sample in shard.samples:
            masked = mask_sample(sample, task)
            files = [
                _row(sample, masked, variant, layout, task, shard.index)
                for variant in range(options.variants)
            ]
            lines = [row_to_json(row).encode() for row, _ in files]
            written = b"\n".join((*lines, b""))
            hashed.update(written)
            rows.write(written)
            # Known to the system, if not to the disk, before the files it names are there.
            rows.flush()
            for (row, places), line, picture in zip(files, lines, masked.pictures, strict=True):
                counter.add(row)
                if places is not None and picture.image is not None:
                    data = (picture.image.data, masked.unmasked, picture.alpha)
                    if layout.packs:
                        tar.add(places, line, *data)
                    else:
                        write_outputs(task.out, scratch, places, *data)
    ids = [sample.id for sample in shard.samples]
    stats = ShardStats(
        shard.index, counter.counts(shards=1), ids[0], ids[-1], digest(ids), hashed.hexdigest()
    )
    folder.finish_shard(scratch, stats)
    return stats


def layout_of(options: SynthOptions) -> Layout:
    """How the run's files are laid out."""
    converts = options.format != "source"
    return Layout(options.layout, options.variants, options.pairs, options.alpha, converts)


def _row(
    sample: Sample, masked: Masked, variant: int, layout: Layout, task: Task, shard: int
) -> tuple[ManifestRow, Places | None]:
    """The row of one variant, and where its files go if there are any."""
    picture, options = masked.pictures[variant], task.options
    outcome = picture.outcome
    label, unlabelled = label_of(sample, outcome.faces, options.label) if options.label else (None, None)
    reasons = (outcome.reason, unlabelled and f"unlabelled: {unlabelled}", masked.note)
    places = layout.place(sample, label, variant, picture.image, shard) if picture.image else None
    size = outcome.image.shape[:2] if outcome.image is not None else (None, None)
    alpha = places.alpha if places else None
    row = ManifestRow(
        id=sample.id,
        variant=variant,
        status=outcome.status,
        reason="; ".join(reason for reason in reasons if reason) or None,
        file_name=places.image if places else None,
        sha256=hashlib.sha256(picture.image.data).hexdigest() if picture.image else None,
        width=size[1],
        height=size[0],
        label=label,
        split=sample.split,
        identity=sample.identity,
        attributes=sample.attributes,
        source={"dataset": options.dataset, "path": text_of(sample.source_path), "sha256": masked.sha256},
        faces=tuple(replace(face, alpha_file=alpha) for face in outcome.faces) if alpha else outcome.faces,
        seed=options.seed,
        unmasked_file=places.unmasked if places else None,
    )
    return row, places
