"""From what was named on the command line to examples that are known to be readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from maskgen.errors import MissingDataError, UsageError
from maskgen.files.remote import is_remote
from maskgen.images.codec import decode
from maskgen.landmarks import FaceLandmarker, open_landmarker
from maskgen.process import usable_cores
from maskgen.records import Box
from maskgen.results.reader import read_image_file
from maskgen.train.data.crops import region_of
from maskgen.train.data.examples import Dropped, Example, Wanted
from maskgen.train.data.from_folders import from_folders
from maskgen.train.data.from_manifest import MANIFEST, WORKPLACE, from_manifest
from maskgen.train.data.pictures import Inspected, inspect

MASKED = Path("masked")

# Images handed to the threads at a time: they answer in order, and what waits is only names.
_CHUNK = 512


@dataclass(frozen=True)
class Gathered:
    """All there is in the data: what takes part, and what does not."""

    examples: tuple[Example, ...]
    dropped: tuple[Dropped, ...]


def find_data(given: Sequence[Path]) -> tuple[Path, ...]:
    """The folders to read: those given, or else the one dataset under ``masked/``.

    Raises:
        MissingDataError: None was given, and there is none.
        UsageError: None was given, and there are several; or one is a URL.
    """
    for path in given:
        if is_remote(path):
            raise UsageError(f"{path}: images are read again in every epoch; copy the folder here first")
    if given:
        return tuple(given)
    found = sorted(path.parent for path in MASKED.glob(f"*/{MANIFEST}"))
    if not found:
        raise MissingDataError(
            f"no DATA given, and no dataset in {MASKED}/: make one with `maskgen synth --dataset NAME`"
        )
    if len(found) > 1:
        names = " ".join(map(str, found))
        raise UsageError(f"which DATA? There are {len(found)} datasets in {MASKED}/: {names}")
    return tuple(found)


def gather(data: Sequence[Path], wanted: Wanted, *, progress: bool = True) -> Gathered:
    """Read every DATA and look once at every image in it.

    Args:
        data: Folders that `maskgen synth` wrote, or plain trees of images.
        wanted: Which examples to make of them.
        progress: Show a bar on stderr.

    Raises:
        MissingDataError: A DATA is not there or not done, or nothing in them can be used.
        UsageError: A label or a kind of image is wanted that the data do not have.
    """
    examples: list[Example] = []
    dropped: list[Dropped] = []
    for each in chain.from_iterable(_rows(folder, wanted) for folder in data):
        if isinstance(each, Example):
            examples.append(each)
        else:
            dropped.append(each)
    if not examples:
        raise MissingDataError(_nothing(data, wanted, dropped))
    _check_names(examples)
    ready: list[Example] = []
    landmarker: FaceLandmarker | None = None
    looked = tqdm(
        _looked_at(examples),
        total=len(examples),
        desc="reading",
        unit="picture",
        disable=None if progress else True,
    )
    try:
        for example, found in looked:
            box = example.box
            if found.problem is None and box is None and wanted.crop != "full":
                landmarker = landmarker or open_landmarker()
                box = face_box(landmarker, example)
            result = _ready(example, found, box, wanted)
            if isinstance(result, Example):
                ready.append(result)
            else:
                dropped.append(result)
    finally:
        if landmarker is not None:
            landmarker.close()
    if not ready:
        raise MissingDataError(_nothing(data, wanted, dropped))
    return Gathered(tuple(ready), tuple(dropped))


def face_box(landmarker: FaceLandmarker, example: Example) -> Box | None:
    """The box of the largest face in an image, as a manifest would have it; None where there is none."""
    faces = landmarker.find(decode(read_image_file(example.path, example.member)).bgr)
    return faces[0].box if faces else None


def is_plain_tree(folder: Path) -> bool:
    """Whether a DATA is a tree of images, and not what `maskgen synth` wrote."""
    return not (folder / MANIFEST).is_file()


def _rows(folder: Path, wanted: Wanted) -> Iterator[Example | Dropped]:
    if not is_plain_tree(folder):
        return from_manifest(folder, wanted)
    if (folder / WORKPLACE).is_dir():
        # As a plain tree, its persons and sources would not be known, nor what is masked.
        raise MissingDataError(
            f"{folder} is a run of `maskgen synth` that is not done: give its command again, or join its "
            f"shares by `maskgen merge {folder}`"
        )
    return from_folders(folder, wanted)


def _looked_at(examples: Sequence[Example]) -> Iterator[tuple[Example, Inspected]]:
    with ThreadPoolExecutor(usable_cores()) as threads:
        for start in range(0, len(examples), _CHUNK):
            part = examples[start : start + _CHUNK]
            found = threads.map(inspect, (each.path for each in part), (each.member for each in part))
            yield from zip(part, found, strict=True)


def _ready(example: Example, found: Inspected, box: Box | None, wanted: Wanted) -> Example | Dropped:
    if found.problem is not None:
        return example.dropped("unreadable", found.problem)
    if box is None and wanted.crop != "full":
        return example.dropped("no face found", f"--crop {wanted.crop} needs one")
    return replace(
        example,
        hashes=example.hashes | {found.sha256},
        box=box,
        region=region_of(wanted.crop, found.size, box, wanted.margin),
        plain=found.plain,
    )


def _check_names(examples: Sequence[Example]) -> None:
    twice = [name for name, count in Counter(each.id for each in examples).items() if count > 1]
    if twice:
        raise UsageError(f"{twice[0]} comes twice: two DATA have the same name; rename one of the folders")


def _nothing(data: Sequence[Path], wanted: Wanted, dropped: Sequence[Dropped]) -> str:
    first = "; ".join(f"{each.id}: {each.reason} {each.detail}".strip() for each in dropped[:3])
    label = f" with a label {wanted.label!r}" if wanted.label else ""
    return (
        f"no {wanted.which} image{label} in {' '.join(map(str, data))}"
        f"{f': {len(dropped):,} dropped ({first})' if dropped else ''}"
    )
