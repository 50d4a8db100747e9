"""One shard of samples: mask them, write what comes of them, and the rows that say what became of each.

What goes wrong with the output ends the run, as does what `maskgen.stages` lets through.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from maskgen.counts import RowCounter
from maskgen.labels import label_of
from maskgen.manifest import row_to_json
from maskgen.names import text_of
from maskgen.options import SynthOptions
from maskgen.processor import processor_kind, set_opencv
from maskgen.records import ManifestRow, Sample
from maskgen.stages import Masked, Task, mask_samples
from maskgen.state import ROWS, RunFolder, Shard, ShardStats, digest
from maskgen.tar_shards import open_tar_shard
from maskgen.writers import Layout, Places, write_outputs


def mask_shard(task: Task, shard: Shard) -> ShardStats:
    """Mask the samples of a shard and write all that comes of them; its stats file is the last.

    The same shard gives the same files, whatever earlier attempts at it have left behind.
    """
    set_opencv()
    folder = RunFolder(task.out)
    scratch = folder.open_scratch(shard.index)
    options = task.options
    layout = layout_of(options)
    counter, hashed = RowCounter(options.label is not None), hashlib.sha256()
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
                        tar.add(places, line, *data)
                    else:
                        write_outputs(task.out, scratch, places, *data)
    ids = [sample.id for sample in shard.samples]
    stats = ShardStats(
        shard.index,
        counter.counts(shards=1),
        ids[0],
        ids[-1],
        digest(ids),
        hashed.hexdigest(),
        processor=processor_kind(),
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
