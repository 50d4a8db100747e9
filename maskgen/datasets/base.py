"""`FaceDataset`: the facts about a public face dataset, and functions of its root."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskgen.records import Sample

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class FaceDataset:
    """One public dataset, defined by its module in `maskgen.datasets`.

    Attributes:
        name: Its name for ``--dataset``.
        title: Its official name.
        licence: The terms in one sentence.
        expects: The files expected below the root, in words, for the error message.
        holds: Whether a folder has this layout; checks a few names and reads no labels.
        samples: Every image below a root, in the byte order of the paths. If label files are missing or
            damaged, images have no label and a note.
        homepage: The page with downloads and terms.
        citation: Authors, title, venue and year.
        annotations: The label files below a root, relative to it, that a drop-in copy needs.
        always: Labels of every complete copy ("gender", "split", "boxes", or "boxes or gender") -> their
            source, in words. A run warns if no image has them.
        label: The attribute that becomes the class by default, or None.
        several_faces: Whether images commonly show more than one face.
        files: The paths that a root stands for and that the output must not overlap, if a root can be a
            pattern of file names; None if a root is a file or folder.
        ships_in: The folder inside the package that contains it, for the embedded sample.
        forbids: What its terms forbid, as far as known; the dataset card repeats it.
    """

    name: str
    title: str
    licence: str
    expects: tuple[str, ...]
    holds: Callable[[Path], bool]
    samples: Callable[[Path], Iterator[Sample]]
    homepage: str = ""
    citation: str = ""
    annotations: Callable[[Path], list[Path]] = lambda root: []
    always: Mapping[str, str] = field(default_factory=dict)
    label: str | None = "gender"
    several_faces: bool = False
    files: Callable[[Path], Iterable[Path]] | None = None
    ships_in: Path | None = None
    forbids: str = ""


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
