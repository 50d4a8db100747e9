"""``--dry-run``: count samples, shards and labels without processing any image."""

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from maskgen.datasets import FaceDataset
from maskgen.files.suffixes import KEPT, SUFFIXES, suffix_of
from maskgen.images.codec import DecodedImage, EncodedImage, common_format
from maskgen.options import SynthOptions
from maskgen.records import Sample
from maskgen.results.counts import Counts
from maskgen.run.shard import FACE_LABELS, label_of, layout_of
from maskgen.run.shard_list import list_samples

# How many first samples are printed with their output file, and how many labels with their count.
NAMED, LABELS = 5, 20


def plan_dry_run(
    options: SynthOptions, dataset: FaceDataset, root: Path, out: Path, say: Callable[[str], None] | None
) -> Counts:
    """Count the work of a run, and tell ``say``, if given, the first files that it would write to ``out``.

    Returns:
        Counts without statuses, and without labels that only masking decides.
    """
    labels: Counter[str | None] = Counter()
    splits: Counter[str] = Counter()
    first: list[Sample] = []
    dataset_label = options.label if options.label not in FACE_LABELS else None
    for sample in list_samples(options, dataset, root):
        splits[sample.split or "none"] += options.variants
        if dataset_label:
            labels[label_of(sample, (), dataset_label)[0]] += options.variants
        if len(first) < NAMED:
            first.append(sample)
    unlabelled, rows = labels.pop(None, 0), splits.total()
    samples = rows // options.variants
    counts = Counts(
        samples=samples,
        rows=rows,
        labels={str(label): count for label, count in sorted(labels.items(), key=str)},
        splits=dict(sorted(splits.items())),
        unlabelled=unlabelled,
        shards=-(-samples // options.shard_size),
    )
    if say is None:
        return counts
    work = f"{_counted(samples, 'picture')} in {_counted(counts.shards, 'shard')}"
    say(f"{work} would give {_counted(rows, 'row')} in {out}")
    for name, values in (("split", counts.splits), ("label", counts.labels)):
        for value, count in islice(values.items(), LABELS):
            say(f"  {name} {value}: {count:,}")
        if len(values) > LABELS:
            say(f"  and {len(values) - LABELS:,} more {name}s")
    if unlabelled:
        say(f"  without label: {unlabelled:,}")
    for sample in first:
        label = label_of(sample, (), dataset_label)[0] if dataset_label else None
        place = layout_of(options).place(sample, label, 0, _expected_image(sample.relative, options))
        say(f"  {sample.id} -> {place.image}")
    return counts


def _expected_image(path: str, options: SynthOptions) -> EncodedImage:
    """The empty output image that the suffix of a source name leads to."""
    suffix = suffix_of(path).lower()
    source = next((name for name, suffixes in SUFFIXES.items() if suffix in suffixes), "JPEG")
    target = options.format.upper()
    if options.format == "source":
        target = source
        if source not in KEPT[options.layout]:
            target = common_format(DecodedImage(np.zeros((1, 1, 3), np.uint8), source))
    return EncodedImage(b"", SUFFIXES[target][0], same_format=source == target)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
