"""One shard of samples: mask them, write what comes of them, and the rows that say what became of each.

What goes wrong with the output ends the run, as does what `maskgen.stages` lets through.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import cv2

from maskgen.counts import RowCounter
from maskgen.labels import label_of
from maskgen.manifest import row_to_json
from maskgen.names import text_of
from maskgen.options import SynthOptions
from maskgen.records import ManifestRow, Sample
from maskgen.shard_check import spot_checksums
from maskgen.shard_stats import ShardStats, digest
from maskgen.stages import Masked, Task, mask_samples
from maskgen.state import FILES, ROWS, RunFolder, Shard
from maskgen.tar_shards import open_tar_shard
from maskgen.writers import Layout, Places, tar_place, write_outputs


def mask_shard(task: Task, shard: Shard) -> ShardStats:
    """Mask the samples of a shard and write all that comes of them; its stats file is the last.

    The same shard gives the same files, whatever earlier attempts at it have left behind.
    """
    cv2.setNumThreads(1)  # joblib limits the threads of BLAS, but not OpenCV's
    folder = RunFolder(task.out, task.sync)
    scratch = folder.open_scratch(shard.index)
    options = task.options
    layout = layout_of(options)
    counter, hashed = RowCounter(options.label is not None), hashlib.sha256()
    names: set[str] = set()
    with (scratch / ROWS).open("xb") as rows, open_tar_shard(task.out, scratch, shard.index) as tar:
        for sample, masked in zip(shard.samples, mask_samples(shard.samples, task), strict=True):
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
                        names.add(tar_place(shard.index))
                        tar.add(places, line, *data)
                    else:
                        names.update(filter(None, vars(places).values()))
                        write_outputs(task.out, scratch, places, *data)
    ids = [sample.id for sample in shard.samples]
    listed = json.dumps(spot_checksums(task.out, names), ensure_ascii=False, indent=0).encode()
    (scratch / FILES).write_bytes(listed)
    stats = ShardStats(
        index=shard.index,
        counts=counter.counts(shards=1),
        first=ids[0],
        last=ids[-1],
        ids=digest(ids),
        rows_sha256=hashed.hexdigest(),
        files_sha256=hashlib.sha256(listed).hexdigest(),
        fingerprint=task.fingerprint,
    )
    folder.finish_shard(scratch, stats, names)
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
