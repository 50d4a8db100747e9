"""Examples from a folder that `maskgen synth` wrote, by its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskgen.errors import UsageError
from maskgen.files.path_text import from_text
from maskgen.files.safe_paths import contained
from maskgen.records import ManifestRow
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import Members
from maskgen.train.data.examples import FOLD, Dropped, Example, Wanted, space_of

MANIFEST = "manifest.jsonl"
# The folder in which `maskgen synth` works; without a manifest beside it, it is not done.
WORKPLACE = ".maskgen"

# Fields of the first face that are worth grouping by, and that may be the class.
FACE_FIELDS = ("template", "kind", "tone", "wear", "blend", "fit", "color", "pattern")
ROW_FIELDS = ("label", "identity", "split")

# Adapters that read anything: there, a name says nothing outside of the one folder it was read from.
GENERIC = ("folder", "table", "gender-folders", "webdataset")


def from_manifest(folder: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    """Every row of a manifest as the examples it makes, or as dropped.

    With "both", a row gives its masked and its unmasked image. An image masked in several variants has
    one unmasked twin, that of the first.
    """
    rows = paired = 0
    members, home = Members(folder), space_of(folder)
    for row in read_manifest(folder / MANIFEST):
        rows += row.status == "masked"
        paired += row.unmasked_file is not None
        # Within this the names of sources and persons are unique.
        dataset = row.source.get("dataset") or ""
        space = home if dataset in GENERIC else dataset
        for each in _of_row(folder, space, row, wanted):
            yield _placed(members, folder, each) if isinstance(each, Example) else each
    if rows and not paired and wanted.which != "masked":
        raise UsageError(
            f"{folder} has no unmasked images: make it again with `maskgen synth --pairs`, or leave out "
            f"--{wanted.which}"
        )


def _placed(members: Members, folder: Path, example: Example) -> Example:
    member = members.find(example.path.relative_to(folder).as_posix())
    return example if member is None else replace(example, member=member)


def _of_row(folder: Path, space: str, row: ManifestRow, wanted: Wanted) -> Iterator[Example | Dropped]:
    name = f"{folder.name}/{row.id}" + (f"#{row.variant}" if row.variant else "")
    wants_masked = wanted.which in ("masked", "both")
    wants_unmasked = wanted.which in ("unmasked", "both") and row.variant == 0
    if wants_masked:
        yield _picture(folder, space, row, wanted.label, name, row.file_name, True)
    if wants_unmasked:
        unmasked = f"{name} unmasked"
        yield _picture(folder, space, row, wanted.label, unmasked, row.unmasked_file, False)


def _picture(
    folder: Path, space: str, row: ManifestRow, column: str | None, name: str, file: str | None, masked: bool
) -> Example | Dropped:
    """One of the two images of a row; each that is not there counts."""
    label = _label(row, column)
    source = f"{space}: {row.id}"
    identity = f"{space}: {row.identity}" if row.identity is not None else None

    def dropped(reason: str, detail: str = "") -> Dropped:
        fold = row.attributes.get(FOLD)
        return Dropped(name, reason, detail, row.split, str(folder), source, identity, fold)

    if column in FACE_FIELDS and not masked:
        return dropped("no label", f"an unmasked face has no {column}")
    if label is None and column not in FACE_FIELDS:
        return dropped("no label", row.reason or "")
    if row.status != "masked":
        return dropped(row.status, row.reason or "")
    if label is None:
        return dropped("no label")
    if file is None:
        return dropped("no masked image" if masked else "no unmasked image")
    face = row.faces[0] if row.faces else None
    attributes: dict[str, Any] = dict(row.attributes)
    if face is not None and masked:
        attributes |= {field: value for field in FACE_FIELDS if (value := getattr(face, field)) is not None}
    known = row.source.get("sha256")
    return Example(
        id=name,
        path=folder / contained(folder, from_text(file), f"{folder / MANIFEST}, {row.id}"),
        label=label,
        data=str(folder),
        split=row.split,
        # Where persons are the classes, each has to be on both sides of a split: then it is no key.
        identity=identity if column != "identity" else None,
        source=source,
        hashes=frozenset((known,)) if known else frozenset(),
        masked=masked,
        attributes=attributes,
        box=face.box if face is not None else None,
    )


def _label(row: ManifestRow, label: str | None) -> str | None:
    if label is None:
        return row.label
    if label in FACE_FIELDS:
        value = getattr(row.faces[0], label) if row.faces else None
    else:
        value = getattr(row, label) if label in ROW_FIELDS else row.attributes.get(label)
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
