"""One model on one set of images: what it says of each, and which it could not be asked about."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from maskgen.errors import MissingDataError
from maskgen.process import usable_cores
from maskgen.train.data.examples import Dropped, Example, Wanted
from maskgen.train.data.gather import Gathered, gather, is_plain_tree
from maskgen.train.data.pictures import shown_file
from maskgen.train.metrics import decide
from maskgen.train.model.classifier import Classifier
from maskgen.train.run_folder import EXAMPLES, read_examples

BATCH = 32
SEEN = "seen in training"


@dataclass(frozen=True)
class Judged:
    """What a model said of a set.

    Attributes:
        model: Its name.
        of: The set's name.
        examples: What it was asked about.
        labels: (n,) their classes, as places among the model's.
        probabilities: (n, classes).
        predicted: (n,) what it said.
        dropped: What it could not be asked about, and why.
    """

    model: str
    of: str
    examples: tuple[Example, ...]
    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    predicted: NDArray[np.int32]
    dropped: tuple[Dropped, ...]


def judge(
    classifier: Classifier,
    name: str,
    data: Path,
    wanted: Wanted,
    split: str = "test",
    *,
    progress: bool = True,
) -> Judged:
    """Ask a model about every image of a set.

    Images whose person, source or content the model learnt from or chose its threshold on take no part;
    that is known when its run folder still has its list of examples beside it.

    Args:
        classifier: The model.
        name: What the set is called.
        data: A folder that `maskgen synth` wrote, or a plain tree.
        wanted: Which images; crop and margin are replaced by the model's own, and so is a missing label.
        split: "test" for the dataset's test split (its validation split where it has no test), and everything
            where it has no splits; "all", or the name of one.
        progress: Show a bar on stderr.

    Raises:
        MissingDataError: No image of the set is in that split, or none can be judged.
    """
    spec = classifier.spec
    label = wanted.label or spec.label
    if is_plain_tree(data):
        # Its folders are its labels, whatever the column was called that the model learnt.
        label = None
    own = replace(wanted, crop=spec.crop, margin=spec.margin, label=label)
    whole = gather([data], own, progress=progress)
    gathered = in_split(whole, split)
    if not gathered.examples:
        there = sorted({example.split or "no split" for example in whole.examples})
        raise MissingDataError(
            f"{data} has no image in {split}, only in {', '.join(there)}: give --split {there[0]}, or all"
        )
    examples, dropped = _judgeable(classifier, gathered)
    if not examples:
        raise MissingDataError(
            f"no image of {data} can be judged by {classifier.name}: {len(dropped):,} take no part, the "
            f"first: {dropped[0].id}: {dropped[0].reason} {dropped[0].detail}"
        )
    labels = np.array([spec.classes.index(each.label) for each in examples], dtype=np.int32)
    found = _ask(classifier, examples, name, progress)
    said = decide(found, spec.threshold)
    return Judged(classifier.name, name, tuple(examples), labels, found, said, tuple(dropped))


def in_split(gathered: Gathered, split: str) -> Gathered:
    """The part of gathered data that is in a split, what was dropped included."""
    if split == "all" or not any(example.split for example in gathered.examples):
        return gathered
    there = {each.split for each in gathered.examples} | {each.split for each in gathered.dropped}
    if split == "test" and "test" not in there and "validation" in there:
        split = "validation"
    return Gathered(
        tuple(example for example in gathered.examples if example.split == split),
        tuple(each for each in gathered.dropped if each.split == split),
    )


def _judgeable(classifier: Classifier, gathered: Gathered) -> tuple[list[Example], list[Dropped]]:
    classes, seen = classifier.spec.classes, _learnt_from(classifier.path.parent / EXAMPLES)
    examples: list[Example] = []
    dropped = list(gathered.dropped)
    for example in gathered.examples:
        met = next((key for key in example.keys() if key in seen), None)  # noqa: SIM118
        if met is not None:
            dropped.append(example.dropped(SEEN, " ".join(met)))
        elif example.label not in classes:
            dropped.append(example.dropped("class not trained", example.label))
        else:
            examples.append(example)
    return examples, dropped


def _learnt_from(path: Path) -> set[tuple[str, str]]:
    if not path.is_file():
        return set()
    return {
        key
        for example in read_examples(path)
        if example.split != "test"
        for key in example.keys()  # noqa: SIM118
    }


def _ask(
    classifier: Classifier, examples: Sequence[Example], name: str, progress: bool
) -> NDArray[np.float32]:
    size = classifier.spec.size
    found = np.empty((len(examples), len(classifier.spec.classes)), np.float32)
    bar = tqdm(
        total=len(examples),
        desc=f"{classifier.name} on {name}",
        unit="picture",
        disable=None if progress else True,
    )

    def look(example: Example) -> NDArray[np.uint8]:
        return shown_file(example.path, example.member, example.region, size, example.plain)

    with bar, ThreadPoolExecutor(usable_cores()) as threads:
        for start in range(0, len(examples), BATCH):
            part = examples[start : start + BATCH]
            found[start : start + len(part)] = classifier.probabilities(
                np.stack(list(threads.map(look, part)))
            )
            bar.update(len(part))
    return found
