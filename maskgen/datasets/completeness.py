"""Warn about an incomplete copy of a dataset, without labels, splits or boxes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from maskgen.datasets.base import FaceDataset
from maskgen.records import Sample

log = logging.getLogger("maskgen")


def warn_of_lacks(dataset: FaceDataset, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Pass samples through; after the last one, warn about labels of `FaceDataset.always` that none had."""
    lacking, first = dict(dataset.always), None
    for sample in samples:
        first = first or sample
        if lacking:
            lacking = {what: where for what, where in lacking.items() if not _has(sample, what)}
        yield sample
    if lacking and first:
        listed = "; ".join(f"no image has {what}: looked for {where}" for what, where in lacking.items())
        note = f" ({first.id}: {first.note})" if first.note else ""
        log.warning("%s: %s%s", dataset.title, listed, note)


def _has(sample: Sample, what: str) -> bool:
    values = {"gender": sample.attributes.get("gender"), "split": sample.split, "boxes": sample.boxes}
    return any(values[name] for name in what.split(" or "))
