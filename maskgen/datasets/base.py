"""What maskgen knows of a public face dataset: a table of facts and three functions of its root."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskgen.records import Sample


@dataclass(frozen=True)
class FaceDataset:
    """One public dataset, as its module under `maskgen.datasets` describes it.

    Attributes:
        name: What ``--dataset`` calls it.
        title: What its authors call it.
        homepage: Where to get it and to read its terms.
        licence: Those terms in one sentence.
        citation: Authors, title, venue and year.
        expects: The files that are looked for below the root, in words, for the error.
        holds: Whether a folder has this layout; looks at a few names and reads no label.
        samples: Every image below a root, in the byte order of the paths. Label files that
            are missing or damaged leave images without label and with a note.
        annotations: The label files below a root, relative to it, that a drop-in copy needs.
        always: What every whole copy gives ("gender", "split", "boxes", or "boxes or gender") -> where that
            stands, in words. A run that finds none says so.
        label: The attribute that becomes the class by default, or None.
        several_faces: Whether an image commonly shows more than one face.
        files: Where a root may also be a pattern of file names: what it stands for that no output may
            hold. None where a root is a file or folder.
        ships_in: The folder inside the package that holds it, for the embedded sample.
        forbids: What its terms forbid, as far as it is known; the dataset card repeats it.
    """

    name: str
    title: str
    homepage: str
    licence: str
    citation: str
    expects: tuple[str, ...]
    holds: Callable[[Path], bool]
    samples: Callable[[Path], Iterator[Sample]]
    annotations: Callable[[Path], list[Path]] = lambda root: []
    always: Mapping[str, str] = field(default_factory=dict)
    label: str | None = "gender"
    several_faces: bool = False
    files: Callable[[Path], Iterable[Path]] | None = None
    ships_in: Path | None = None
    forbids: str = ""
