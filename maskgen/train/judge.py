"""Run one model on one labelled set: its predictions, and the images it cannot be tested on."""

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
from maskgen.train.data.model_input import shown_file
from maskgen.train.metrics import decide
from maskgen.train.model.classifier import Classifier
from maskgen.train.run_folder import EXAMPLES, read_examples

BATCH = 32
SEEN = "seen in training"


@dataclass(frozen=True)
class Judged:
    """The predictions of a model on a set.

    Attributes:
        model: Name of the model.
        of: Name of the set.
        examples: The n examples.
        labels: (n,) true classes, as indices of the model's classes.
        probabilities: (n, classes).
        predicted: (n,) predicted classes.
        dropped: The images without a prediction.
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
    """Run a model on the images of a set.

    Images whose person, source or content is in the model's training or validation split are dropped, if the
    list of examples is still beside the model in its run folder.

    Args:
        classifier: The model.
        name: Name of the set.
        data: An output folder of `maskgen synth`, or a folder tree.
        wanted: The selection of images; crop, margin and a missing label come from the model.
        split: "test" is the test split, or else the validation split, or all images of a dataset without
            splits; "all"; or the name of a split.
        progress: Show a progress bar on stderr.

    Raises:
        MissingDataError: No image of the set is in this split, or none can be judged.
    """
    spec = classifier.spec
    label = wanted.label or spec.label
    if is_plain_tree(data):
        # The labels of a folder tree are its folders, whatever label column the model was trained on.
        label = None
    own = replace(wanted, crop=spec.crop, margin=spec.margin, label=label)
    whole = gather([data], own, progress=progress)
    gathered = in_split(whole, split)
    if not gathered.examples:
        available = sorted({example.split or "no split" for example in whole.examples})
        raise MissingDataError(
            f"{data} has no image in {split}, only in {', '.join(available)}: "
            f"give --split {available[0]}, or all"
        )
    examples, dropped = _judgeable(classifier, gathered)
    if not examples:
        raise MissingDataError(
            f"no image of {data} can be judged by {classifier.name}: {len(dropped):,} are dropped, the "
            f"first: {dropped[0].id}: {dropped[0].reason} {dropped[0].detail}"
        )
    labels = np.array([spec.classes.index(each.label) for each in examples], dtype=np.int32)
    probabilities = _predict(classifier, examples, name, progress)
    predicted = decide(probabilities, spec.threshold)
    return Judged(classifier.name, name, tuple(examples), labels, probabilities, predicted, tuple(dropped))


def in_split(gathered: Gathered, split: str) -> Gathered:
    """The examples and dropped images of one split."""
    if split == "all" or not any(example.split for example in gathered.examples):
        return gathered
    splits = {each.split for each in gathered.examples} | {each.split for each in gathered.dropped}
    if split == "test" and "test" not in splits and "validation" in splits:
        split = "validation"
    return Gathered(
        tuple(example for example in gathered.examples if example.split == split),
        tuple(each for each in gathered.dropped if each.split == split),
    )


def _judgeable(classifier: Classifier, gathered: Gathered) -> tuple[list[Example], list[Dropped]]:
    classes, seen = classifier.spec.classes, _training_keys(classifier.path.parent / EXAMPLES)
    examples: list[Example] = []
    dropped = list(gathered.dropped)
    for example in gathered.examples:
        shared = next((key for key in example.keys() if key in seen), None)  # noqa: SIM118
        if shared is not None:
            dropped.append(example.dropped(SEEN, " ".join(shared)))
        elif example.label not in classes:
            dropped.append(example.dropped("class not trained", example.label))
        else:
            examples.append(example)
    return examples, dropped


def _training_keys(path: Path) -> set[tuple[str, str]]:
    if not path.is_file():
        return set()
    return {
        key
        for example in read_examples(path)
        if example.split != "test"
        for key in example.keys()  # noqa: SIM118
    }


def _predict(
    classifier: Classifier, examples: Sequence[Example], name: str, progress: bool
) -> NDArray[np.float32]:
    size = classifier.spec.size
    probabilities = np.empty((len(examples), len(classifier.spec.classes)), np.float32)
    bar = tqdm(
        total=len(examples),
        desc=f"{classifier.name} on {name}",
        unit="image",
        disable=None if progress else True,
    )

    def read(example: Example) -> NDArray[np.uint8]:
        return shown_file(example.path, example.member, example.region, size, example.plain)

    with bar, ThreadPoolExecutor(usable_cores()) as threads:
        for start in range(0, len(examples), BATCH):
            part = examples[start : start + BATCH]
            probabilities[start : start + len(part)] = classifier.probabilities(
                np.stack(list(threads.map(read, part)))
            )
            bar.update(len(part))
    return probabilities
