"""Process one shard: mask its samples, and write the images and manifest rows.

An error in the output stops the run, like the errors that `maskgen.run.pipeline` passes on.
"""

import errno
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from maskgen.files.json_text import fitting
from maskgen.files.path_text import from_text, to_text
from maskgen.options import SynthOptions
from maskgen.process import processor_kind, set_opencv
from maskgen.records import BELIEVED, FaceRecord, ManifestRow, Outcome, Sample
from maskgen.results.counts import RowCounter
from maskgen.results.layout import Layout, Places, tar_place
from maskgen.results.manifest import row_to_json
from maskgen.results.output_files import member_json, open_tar_shard, write_outputs
from maskgen.results.run_record import fingerprint
from maskgen.run.pipeline import EncodedVariant, MaskedSample, ShardTask, mask_samples
from maskgen.run.state.run_dir import ROWS, RunDir, Shard
from maskgen.run.state.shard_records import ShardSources, ShardStats, digest, spot_checksums
from maskgen.run.state.time_limit import NOTE, TimeLimit, overdue_reason

# Labels that masking decides; each is a field of `FaceRecord`.
FACE_LABELS = ("wear", "kind", "template")

# The longest name that every file system accepts, including encrypted ones.
_SHORT_PATH = 140


def mask_shard(task: ShardTask, shard: Shard, sources: ShardSources | None = None) -> ShardStats:
    """Mask the samples of a shard and write all its files; the stats file comes last.

    The files are always the same, regardless of leftovers from earlier attempts. ``sources`` is the record of
    the original sources if the samples are local copies.
    """
    sources = sources or ShardSources.of(shard.samples)
    set_opencv()
    folder = RunDir(task.out, task.sync)
    scratch = folder.open_scratch(shard.index)
    options, layout = task.options, layout_of(task.options, task.tar_suffix)
    # Once is not enough: a suspended process exceeds the time limit too. After a third time it is not read.
    late = {image: count for image, count in folder.overdue(shard.index).items() if count > 1}
    reasons = dict.fromkeys(late, overdue_reason(task.image_timeout))
    unread = frozenset(image for image, count in late.items() if count > 2)
    task = replace(task, fatal={**reasons, **task.fatal}, unread=unread)
    counter, rows_hash = RowCounter(options.label is not None), hashlib.sha256()
    names: set[str] = set()
    with (
        (scratch / ROWS).open("xb") as rows,
        open_tar_shard(task.out, scratch, shard.index) as tar,
        TimeLimit(task.image_timeout, scratch / NOTE) as limit,
    ):
        for sample, masked in zip(shard.samples, mask_samples(shard.samples, task, limit), strict=True):
            files = [
                _make_row(sample, masked, variant, layout, task, shard.index)
                for variant in range(options.variants)
            ]
            lines = [row_to_json(row).encode() for row, _ in files]
            chunk = b"\n".join((*lines, b""))
            rows_hash.update(chunk)
            rows.write(chunk)
            # The operating system must hold a row before the files it names exist.
            rows.flush()
            for (row, places), encoded in zip(files, masked.variants, strict=True):
                counter.add(row)
                if places is None or encoded.image is None:
                    continue
                data = (encoded.image.data, masked.unmasked, encoded.alpha)
                if layout.packs:
                    names.add(tar_place(shard.index))
                    tar.add(places, member_json(row), *data)
                else:
                    names.update(filter(None, vars(places).values()))
                    write_outputs(task.out, scratch, places, *data)
    ids = [sample.id for sample in shard.samples]
    checksums = json.dumps(spot_checksums(task.out, names), ensure_ascii=False, indent=0).encode()
    stats = ShardStats(
        index=shard.index,
        counts=counter.counts(shards=1),
        first=ids[0],
        last=ids[-1],
        ids=digest(ids),
        rows_sha256=rows_hash.hexdigest(),
        files_sha256=hashlib.sha256(checksums).hexdigest(),
        fingerprint=fingerprint(task.config),
        processor=processor_kind(),
    )
    folder.finish_shard(scratch, stats, names, checksums, sources.as_json())
    return stats


def layout_of(options: SynthOptions, tar_suffix: str | None = None) -> Layout:
    """The output layout of a run."""
    converts = options.format != "source"
    return Layout(options.layout, options.variants, options.pairs, options.alpha, converts, tar_suffix)


def label_of(sample: Sample, faces: Sequence[FaceRecord], label: str) -> tuple[str | None, str | None]:
    """The class of a row, or None and the reason why it has none.

    ``label`` is the name of an attribute, "identity", "split", or one of `FACE_LABELS`.
    """
    if label in FACE_LABELS:
        return _face_label(faces, label) if faces else (None, None)
    value = getattr(sample, label) if label in ("identity", "split") else sample.attributes.get(label)
    if value is None:
        return None, sample.note or f"the dataset gives no {label}"
    return (str(value).lower() if isinstance(value, bool) else str(value)), None


def _face_label(faces: Sequence[FaceRecord], label: str) -> tuple[str | None, str | None]:
    value, *others = {getattr(face, label) for face in faces}
    if others:
        return None, f"its faces differ in {label}"
    if value is None:
        return None, f"this blend has no {label}"
    if label == "wear" and not all(face.wear_agrees for face in faces):
        return None, f"the coverage contradicts {value}"
    if label == "wear" and any(face.mesh_score is not None and face.mesh_score < BELIEVED for face in faces):
        return None, "the landmarks do not look right"
    return value, None


def _make_row(
    sample: Sample, masked: MaskedSample, variant: int, layout: Layout, task: ShardTask, shard: int
) -> tuple[ManifestRow, Places | None]:
    """The row of one variant, and the places of its files if it has any."""
    encoded, name = masked.variants[variant], task.options.label
    label, unlabelled = label_of(sample, encoded.outcome.faces, name) if name else (None, None)
    places = layout.place(sample, label, variant, encoded.image, shard) if encoded.image else None
    if places and not layout.packs and (too_long := _path_too_long(task.out, places)):
        encoded, places = EncodedVariant(Outcome("error", too_long)), None
    outcome, alpha = encoded.outcome, places and places.alpha
    reasons = (outcome.reason, unlabelled and f"unlabelled: {unlabelled}", masked.note)
    height, width = outcome.image.shape[:2] if outcome.image is not None else (None, None)
    path = fitting(to_text(sample.source_path))
    row = ManifestRow(
        id=fitting(sample.id),
        variant=variant,
        status=outcome.status,
        reason=fitting("; ".join(reason for reason in reasons if reason)) or None,
        file_name=places.image if places else None,
        sha256=hashlib.sha256(encoded.image.data).hexdigest() if encoded.image else None,
        width=width,
        height=height,
        label=fitting(label),
        split=sample.split,
        identity=fitting(sample.identity),
        attributes=fitting(sample.attributes),
        source={"dataset": task.options.dataset, "path": path, "sha256": masked.sha256},
        faces=tuple(replace(face, alpha_file=alpha) for face in outcome.faces) if alpha else outcome.faces,
        seed=task.options.seed,
        unmasked_file=places.unmasked if places else None,
    )
    return row, places


def _path_too_long(out: Path, places: Places) -> str | None:
    """The reason for the row if the system cannot write one of the files; else None."""
    for place in (places.image, places.unmasked, places.alpha):
        # Every system accepts a short path; this check saves a system call a file.
        if place is None or len(place) + len(str(out)) < _SHORT_PATH:
            continue
        try:
            (out / from_text(place)).lstat()
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return "the path of its copy is too long for the system: give a shorter --out"
    return None
