"""Gather the readable examples of all DATA folders."""

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
from maskgen.process import usable_cores
from maskgen.records import Box, Member
from maskgen.results.reader import read_image_file
from maskgen.train.data.examples import Dropped, Example, Wanted
from maskgen.train.data.listing import MANIFEST, list_folder
from maskgen.train.data.model_input import Inspected, inspect, region_of

MASKED = Path("masked")


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
    """List the images of every DATA folder, and inspect each image once, with a progress bar on stderr."""
    gathered = usable(list_data(data, wanted), wanted, progress=progress)
    refuse_none(gathered, data, wanted)
    return gathered


def list_data(data: Sequence[Path], wanted: Wanted) -> Gathered:
    """List the images of every DATA folder without opening one."""
    listed = [each for folder in data for each in list_folder(folder, wanted)]
    examples = [each for each in listed if isinstance(each, Example)]
    for name, count in Counter(example.id for example in examples).items():
        if count > 1:
            raise UsageError(f"{name} exists twice: two DATA folders have the same name; rename one of them")
    return Gathered(examples, [each for each in listed if isinstance(each, Dropped)])


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


def usable(
    listed: Gathered, wanted: Wanted, known: Known | None = None, *, progress: bool = True
) -> Gathered:
    """The listed examples with their regions; those that cannot be used are dropped.

    Images in `known` are not opened again; the others are added to it.
    """
    known = known or Known()
    files = dict.fromkeys((each.path, each.member) for each in listed.examples)
    new = [file for file in files if file not in known.inspected]
    bar = {"desc": "reading", "unit": "image", "disable": None if progress and new else True}
    with ExitStack() as stack, ThreadPool(usable_cores()) as threads:
        # Opened for the first image without a box.
        landmarker = cache(lambda: stack.enter_context(closing(open_landmarker())))
        inspections = threads.imap(lambda file: inspect(*file), new)
        checked = []
        for example in tqdm(listed.examples, **bar):
            file = example.path, example.member
            if file not in known.inspected:
                known.inspected[file] = next(inspections)
            checked.append(_with_region(example, known, wanted, landmarker))
    examples = [each for each in checked if isinstance(each, Example)]
    return Gathered(examples, [*listed.dropped, *(each for each in checked if isinstance(each, Dropped))])


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
            faces = landmarker().find(decode(read_image_file(*file)).bgr)
            known.boxes[file] = faces[0].box if faces else None  # of the largest face, as in a manifest
        box = known.boxes[file]
        if box is None:
            return example.dropped("no face found", f"--crop {wanted.crop} needs one")
    return replace(
        example,
        hashes=example.hashes | {inspected.sha256},
        box=box,
        region=region_of(wanted.crop, inspected.size, box, wanted.margin),
        plain=inspected.plain,
    )
