"""What a run would do: counted from the dataset's listing alone, for ``--dry-run``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from maskgen.datasets import FaceDataset
from maskgen.files.suffixes import KEPT, SUFFIXES, suffix_of
from maskgen.images.codec import DecodedImage, EncodedImage, common_format
from maskgen.options import SynthOptions
from maskgen.results.counts import Counts
from maskgen.run.labels import FACE_LABELS, label_of
from maskgen.run.shard import layout_of
from maskgen.run.shard_list import list_samples

# How many of the first pictures are named with the file they would become, and how many labels counted aloud.
NAMED = 5
LABELS = 20


def plan_dry_run(
    options: SynthOptions, dataset: FaceDataset, root: Path, out: Path, say: Callable[[str], None] | None
) -> Counts:
    """Count what would be done, and name the first files that would be written.

    Args:
        options: The run's options.
        dataset: Where its samples come from.
        root: Where that lies.
        out: The output folder, for the words only.
        say: Called with each line for people; None for silence.

    Returns:
        Counts without statuses, which only masking can tell; the same holds for labels that it decides.
    """
    labels: Counter[str | None] = Counter()
    splits: Counter[str] = Counter()
    known = options.label if options.label not in FACE_LABELS else None
    for sample in list_samples(options, dataset, root):
        splits[sample.split or "none"] += options.variants
        if known:
            labels[label_of(sample, (), known)[0]] += options.variants
    unlabelled = labels.pop(None, 0)
    rows = splits.total()
    samples = rows // options.variants
    counts = Counts(
        samples=samples,
        rows=rows,
        labels={str(label): count for label, count in sorted(labels.items(), key=str)},
        splits=dict(sorted(splits.items())),
        unlabelled=unlabelled,
        shards=-(-samples // options.shard_size),
    )
    if say is not None:
        say(
            f"{_counted(samples, 'picture')} in {_counted(counts.shards, 'shard')} would give "
            f"{_counted(counts.rows, 'row')} in {out}"
        )
        for name, values in (("split", counts.splits), ("label", counts.labels)):
            for value, count in islice(values.items(), LABELS):
                say(f"  {name} {value}: {count:,}")
            if len(values) > LABELS:
                say(f"  and {len(values) - LABELS:,} more {name}s")
        if unlabelled:
            say(f"  without label: {unlabelled:,}")
        for sample in islice(list_samples(options, dataset, root), min(NAMED, samples)):
            label = label_of(sample, (), known)[0] if known else None
            place = layout_of(options).place(sample, label, 0, _encoded(sample.relative, options))
            say(f"  {sample.id} -> {place.image}")
    return counts


def _encoded(name: str, options: SynthOptions) -> EncodedImage:
    """The file that an image becomes, as far as its name tells what it is."""
    suffix = suffix_of(name).lower()
    source = next((form for form, suffixes in SUFFIXES.items() if suffix in suffixes), "JPEG")
    target = options.format.upper()
    if options.format == "source":
        target = source
        if source not in KEPT[options.layout]:
            target = common_format(DecodedImage(np.zeros((1, 1, 3), np.uint8), source))
    return EncodedImage(b"", SUFFIXES[target][0], same_format=source == target)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
