"""Gather the readable examples of all DATA folders."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing.pool import ThreadPool
from pathlib import Path

from tqdm import tqdm

from maskgen.errors import MissingDataError, UsageError
from maskgen.files.remote import is_remote
from maskgen.images.codec import decode
from maskgen.landmarks import FaceLandmarker, open_landmarker
from maskgen.landmarks.face_boxes import labelled_face_box
from maskgen.process import usable_cores
from maskgen.records import Box, Member
from maskgen.results.reader import read_image_file
from maskgen.train.data.examples import Dropped, Example, Wanted, listed, reasons
from maskgen.train.data.listing import MANIFEST, columns, list_folder
from maskgen.train.data.model_input import Inspected, inspect, region_of

MASKED = Path("masked")
# Above this share of missed images, a warning.
MOST_MISSED = 0.05
# Reason of a dropped image.
NO_FACE = "no face found"

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class Gathered:
    """The usable examples of the data, and the dropped images."""

    examples: Sequence[Example]
    dropped: Sequence[Dropped]

    def of(self, split: str) -> list[Example]:
        """The examples of one split."""
        return [example for example in self.examples if example.split == split]

    @property
    def classes(self) -> tuple[str, ...]:
        """The sorted labels of the training split."""
        return tuple(sorted({example.label for example in self.of("train")}))


def find_data(data: Sequence[Path]) -> tuple[Path, ...]:
    """The folders to read: `data`, or by default the only dataset in ``masked/``."""
    for path in data:
        if is_remote(path):
            raise UsageError(f"{path}: every epoch reads the images again; copy the folder here first")
    folders = data or sorted(path.parent for path in MASKED.glob(f"*/{MANIFEST}"))
    if not folders:
        raise MissingDataError(
            f"no DATA given, and no dataset in {MASKED}/: create one with `maskgen synth --dataset NAME`"
        )
    if len(folders) > 1 and not data:
        names = " ".join(map(str, folders))
        raise UsageError(f"name one DATA: there are {len(folders)} datasets in {MASKED}/: {names}")
    return tuple(folders)


def gather(data: Sequence[Path], wanted: Wanted, *, progress: bool = True) -> Gathered:
    """List the images of every DATA folder, and inspect each image once, with a progress bar on stderr.

    Warns if more than `MOST_MISSED` of the images cannot be used.
    """
    gathered = usable(list_data(data, wanted), wanted, progress=progress)
    refuse_none(gathered, data, wanted)
    missed = [each for each in gathered.dropped if each.is_missed]
    _warn_about_missed(len(gathered.examples), missed, wanted)
    return gathered


def list_data(data: Sequence[Path], wanted: Wanted) -> Gathered:
    """List the images of every DATA folder without opening one."""
    found = [each for folder in data for each in list_folder(folder, wanted)]
    examples = [each for each in found if isinstance(each, Example)]
    dropped = [each for each in found if isinstance(each, Dropped)]
    if dropped and not examples and all(each.reason == "no label" for each in dropped):
        raise _no_label(data, wanted)
    for name, count in Counter(example.id for example in examples).items():
        if count > 1:
            raise UsageError(f"{name} exists twice: two DATA folders have the same name; rename one of them")
    return Gathered(examples, dropped)


def refuse_none(gathered: Gathered, data: Sequence[Path], wanted: Wanted) -> None:
    """Raise `MissingDataError`, with the first reasons, if no example is usable."""
    dropped = gathered.dropped
    if not gathered.examples:
        first = "; ".join(f"{each.id}: {each.reason} {each.detail}".strip() for each in dropped[:3])
        label = f" with a label {wanted.label!r}" if wanted.label else ""
        kind = "usable" if wanted.which == "auto" else wanted.which
        raise MissingDataError(
            f"no {kind} image{label} in {' '.join(map(str, data))}"
            f"{f': {len(dropped):,} dropped ({first})' if dropped else ''}"
        )


@dataclass(frozen=True)
class Known:
    """What is known of image files, to inspect them only once for several models."""

    inspected: dict[tuple[Path, Member | None], Inspected] = field(default_factory=dict)
    boxes: dict[tuple[Path, Member | None], Box | None] = field(default_factory=dict)


def usable(found: Gathered, wanted: Wanted, known: Known | None = None, *, progress: bool = True) -> Gathered:
    """The listed examples with their regions; those that cannot be used are dropped.

    Images in `known` are not opened again; the others are added to it.
    """
    known = known or Known()
    files = dict.fromkeys((each.path, each.member) for each in found.examples)
    new = [file for file in files if file not in known.inspected]
    bar = {"desc": "reading", "unit": "image", "disable": None if progress and new else True}
    with ExitStack() as stack, ThreadPool(usable_cores()) as threads:
        # Opened for the first image without a box.
        landmarker = cache(lambda: stack.enter_context(closing(open_landmarker())))
        inspections = threads.imap(lambda file: inspect(*file), new)
        checked = []
        for example in tqdm(found.examples, **bar):
            file = example.path, example.member
            if file not in known.inspected:
                known.inspected[file] = next(inspections)
            checked.append(_with_region(example, known, wanted, landmarker))
    examples = [each for each in checked if isinstance(each, Example)]
    return Gathered(examples, [*found.dropped, *(each for each in checked if isinstance(each, Dropped))])


def _no_label(data: Sequence[Path], wanted: Wanted) -> MissingDataError:
    kind = "" if wanted.which == "auto" else f"{wanted.which} "
    images = f"no {kind}image of {' '.join(map(str, data))}"
    existing = ", ".join(sorted({name for folder in data for name in columns(folder, wanted)})) or "none"
    if wanted.label is None:
        return MissingDataError(f"{images} has a label; name a column with --label: {existing}")
    return MissingDataError(f"--label {wanted.label}: {images} has this column; the columns are {existing}")


def _warn_about_missed(usable: int, missed: Sequence[Dropped], wanted: Wanted) -> None:
    total = usable + len(missed)
    if len(missed) <= MOST_MISSED * total:
        return
    remedy = "`maskgen report` and the data's manifest say why"
    most_common, *_ = reasons(missed)
    example = next(each for each in missed if each.reason == most_common)
    if most_common == NO_FACE:
        remedy = "--crop full needs no face" if wanted.crop != "full" else remedy
    elif most_common == "unreadable":
        remedy = f"replace or delete these files, such as {example.id} ({example.detail})"
    log.warning(
        "%s of %s images (%.0f %%) cannot be used: %s; figures are of the others: %s",
        *(f"{len(missed):,}", f"{total:,}", 100 * len(missed) / total, listed(reasons(missed)), remedy),
    )


def _with_region(
    example: Example, known: Known, wanted: Wanted, landmarker: Callable[[], FaceLandmarker]
) -> Example | Dropped:
    file = example.path, example.member
    inspected = known.inspected[file]
    if inspected.problem is not None:
        return example.dropped("unreadable", inspected.problem)
    box = example.box
    if box is None and wanted.crop != "full":
        if file not in known.boxes:
            known.boxes[file] = labelled_face_box(landmarker(), decode(read_image_file(*file)).bgr)
        box = known.boxes[file]
        if box is None:
            return example.dropped(NO_FACE, f"--crop {wanted.crop} needs one")
    return replace(
        example,
        hashes=example.hashes | {inspected.sha256},
        box=box,
        region=region_of(wanted.crop, inspected.size, box, wanted.margin),
        plain=inspected.plain,
    )
