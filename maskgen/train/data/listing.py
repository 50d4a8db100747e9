"""List the examples of a DATA folder: a `maskgen synth` output or a tree like ``Training/male/1.jpg``."""

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from maskgen.errors import MissingDataError, UsageError
from maskgen.files.image_files import archive_hint, images
from maskgen.files.path_text import from_text, to_text
from maskgen.files.safe_paths import contained
from maskgen.records import ManifestRow, split_of
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import Members
from maskgen.train.data.examples import Dropped, Example, Wanted

MANIFEST = "manifest.jsonl"
# Working folder of `maskgen synth`; without a manifest beside it, the run is unfinished.
WORKPLACE = ".maskgen"

# Fields of the first face that can be groups or classes.
FACE_FIELDS = ("template", "kind", "tone", "wear", "blend", "fit", "color", "pattern")
ROW_FIELDS = ("label", "identity", "split")

# Adapters for any data: their names are unique only within one folder.
GENERIC = ("folder", "table", "gender-folders", "webdataset")

log = logging.getLogger("maskgen")


def is_plain_tree(folder: Path) -> bool:
    """Whether a DATA folder is a folder tree of images and not an output of `maskgen synth`."""
    return not (folder / MANIFEST).is_file()


def list_folder(folder: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    """The examples and the dropped images of a DATA folder, without opening an image."""
    if not is_plain_tree(folder):
        return _from_manifest(folder, wanted)
    if (folder / WORKPLACE).is_dir():
        # Read as a folder tree, it would have no persons, no sources and no masked flag.
        raise MissingDataError(
            f"{folder} is a run of `maskgen synth` that is not done: repeat its command, or merge its parts "
            f"with `maskgen merge {folder}`"
        )
    return _from_folders(folder, wanted)


def _from_manifest(folder: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    """Convert each row of a manifest to examples or dropped images.

    With "both", a row gives its masked and its unmasked image. The variants of one image share the unmasked
    twin of variant 0.
    """
    rows = paired = 0
    members, folder_space = Members(folder), _space_of(folder)
    for row in read_manifest(folder / MANIFEST):
        rows += row.status == "masked"
        paired += row.unmasked_file is not None
        # The namespace in which names of sources and persons are unique.
        dataset = row.source.get("dataset") or ""
        space = folder_space if dataset in GENERIC else dataset
        if wanted.which != "unmasked":
            yield _image(folder, members, space, row, wanted.label, masked=True)
        has_twin = wanted.which != "auto" or row.unmasked_file is not None
        if wanted.which != "masked" and row.variant == 0 and has_twin:
            yield _image(folder, members, space, row, wanted.label, masked=False)
    if rows and not paired and wanted.which in ("unmasked", "both"):
        raise UsageError(
            f"{folder} has no unmasked images: create them with `maskgen synth --pairs`, or "
            f"omit --{wanted.which}"
        )


def _image(
    folder: Path, members: Members, space: str, row: ManifestRow, column: str | None, *, masked: bool
) -> Example | Dropped:
    """The masked or the unmasked image of a row; a missing image is `Dropped`."""
    face = row.faces[0] if row.faces else None
    face_values = {field: getattr(face, field) for field in FACE_FIELDS} if face and masked else {}
    label, file = _label(row, column), row.file_name if masked else row.unmasked_file
    example = Example(
        id=f"{folder.name}/{row.id}{f'#{row.variant}' if row.variant else ''}{'' if masked else ' unmasked'}",
        path=folder,
        label=label or "",
        data=str(folder),
        split=row.split,
        # If persons are the classes, each person must be in every split.
        identity=None if row.identity is None or column == "identity" else f"{space}: {row.identity}",
        source=f"{space}: {row.id}",
        hashes=frozenset(filter(None, [row.source.get("sha256")])),
        masked=masked,
        attributes={**row.attributes, **{k: value for k, value in face_values.items() if value is not None}},
        box=face.box if face is not None else None,
    )
    if column in FACE_FIELDS and not masked:
        return example.dropped("no label", f"an unmasked face has no {column}")
    if label is None and column not in FACE_FIELDS:
        return example.dropped("no label", row.reason or "")
    if row.status != "masked":
        return example.dropped(row.status, row.reason or "")
    if label is None:
        return example.dropped("no label")
    if file is None:
        return example.dropped("no masked image" if masked else "no unmasked image")
    path = folder / contained(folder, from_text(file), f"{folder / MANIFEST}, {row.id}")
    return replace(example, path=path, member=members.find(path.relative_to(folder).as_posix()))


def columns(folder: Path, wanted: Wanted) -> set[str]:
    """The columns of a DATA folder that at least one image has a value in: each can be the label."""
    if is_plain_tree(folder):
        return {"folder"}
    names = (*ROW_FIELDS, *(FACE_FIELDS if wanted.which != "unmasked" else ()))
    existing: set[str] = set()
    for row in read_manifest(folder / MANIFEST):
        if row.status == "masked":
            existing.update(name for name in (*names, *row.attributes) if _label(row, name) is not None)
    return existing


def _label(row: ManifestRow, column: str | None) -> str | None:
    if column is None:
        return row.label
    if column in FACE_FIELDS:
        value = getattr(row.faces[0], column) if row.faces else None
    else:
        value = getattr(row, column) if column in ROW_FIELDS else row.attributes.get(column)
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _from_folders(root: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    """Read the split and the class of each image from the names of its folders.

    The class is the folder below a split folder (``train``, ``val``, ...). Without a split folder it is the
    first level that has more than one folder. A tree does not tell who a face is or whether it is masked.
    """
    if wanted.label not in (None, "folder", "label"):
        raise UsageError(f"{root} is a folder tree: its labels are its folders, it has no {wanted.label!r}")
    if not root.is_dir():
        raise MissingDataError(
            archive_hint(root)
            or f"{root}: neither an output folder of `maskgen synth` nor a folder tree of images"
        )
    if wanted.which in ("unmasked", "both"):
        problem = "nothing says which faces are masked"
        log.warning("%s is a folder tree: %s; --%s uses all images", root, problem, wanted.which)
    # The images are not published: links may point anywhere.
    files = [tuple(relative.split("/")) for relative in images(root, follow_links=True)]
    if not files:
        missing = f"{root}: contains no images and no manifest.jsonl"
        raise MissingDataError(f"{missing}. {archive_hint(root)}".rstrip(". "))
    shared = _shared_folders(files)
    for parts in files:
        name = to_text(f"{root.name}/{'/'.join(parts)}")
        split, label = _split_and_class(parts[:-1], shared)
        if label is None:
            yield Dropped(name, "no label", "it is in no class folder", split, str(root))
            continue
        yield Example(
            id=name,
            path=root.joinpath(*parts),
            label=to_text(label),
            data=str(root),
            split=split,
            source=to_text(f"{_space_of(root)}: {'/'.join(parts)}"),
            attributes={"folder": to_text(label)},
        )


def _shared_folders(files: list[tuple[str, ...]]) -> int:
    """Number of leading folders that all images share, such as the top folder of an archive."""
    first = files[0][:-1]
    shares = (
        len({parts[level] for parts in files if len(parts) > level + 1}) == 1 for level in range(len(first))
    )
    # In a tree of one class, the folder of the images is the class and not a shared folder.
    return min(sum(takewhile(bool, shares)), max(len(first) - 1, 0))


def _split_and_class(folders: tuple[str, ...], shared: int) -> tuple[str | None, str | None]:
    for place, folder in enumerate(folders):
        if split := split_of(folder):
            return split, folders[place + 1] if len(folders) > place + 1 else None
    return None, folders[shared] if len(folders) > shared else None


def _space_of(folder: Path) -> str:
    """A namespace for the names in a folder: the folder's name and a hash of its absolute path."""
    path = folder.resolve()
    return f"{to_text(path.name)}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
