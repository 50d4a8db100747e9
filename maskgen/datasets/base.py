"""`FaceDataset`: the facts about a public face dataset, and functions of its root."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskgen.records import Sample

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class FaceDataset:
    """One public dataset, defined by its module in `maskgen.datasets`."""

    name: str  # for ``--dataset``
    title: str  # the official name
    licence: str  # the terms in one sentence
    expects: tuple[str, ...]  # the files expected below the root, in words, for the error message
    holds: Callable[[Path], bool]  # whether a folder has this layout, by a few names, without its labels
    # Every image below a root, in byte order; images without a label have a note.
    samples: Callable[[Path], Iterator[Sample]]
    homepage: str = ""  # with downloads and terms
    citation: str = ""  # authors, title, venue and year
    # The label files below a root, relative to it, that a drop-in copy needs.
    annotations: Callable[[Path], list[Path]] = lambda root: []
    # Labels of every complete copy ("gender", "split", "boxes", or "boxes or gender") -> their source, in
    # words. A run warns if no image has them.
    always: Mapping[str, str] = field(default_factory=dict)
    label: str | None = "gender"  # the attribute that becomes the class by default
    several_faces: bool = False  # whether images commonly show more than one face
    # If a root can be a pattern of file names: the paths that the output must not overlap.
    files: Callable[[Path], Iterable[Path]] | None = None
    ships_in: Path | None = None  # the folder inside the package that contains the embedded sample
    forbids: str = ""  # what the terms forbid, as far as known; the dataset card repeats it


def warn_of_lacks(dataset: FaceDataset, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Pass samples through; after the last one, warn about labels of `FaceDataset.always` that none had."""
    lacking, first = dict(dataset.always), None
    for sample in samples:
        first = first or sample
        if lacking:
            labels = {"gender": sample.attributes.get("gender"), "split": sample.split, "boxes": sample.boxes}
            present = {what for what in lacking if any(labels[name] for name in what.split(" or "))}
            lacking = {what: where for what, where in lacking.items() if what not in present}
        yield sample
    if lacking and first:
        listed = "; ".join(f"no image has {what}: looked for {where}" for what, where in lacking.items())
        note = f" ({first.id}: {first.note})" if first.note else ""
        log.warning("%s: %s%s", dataset.title, listed, note)
