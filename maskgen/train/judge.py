"""Run one model on one labelled set: its predictions, and the images it cannot be tested on."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from maskgen.errors import MissingDataError
from maskgen.process import usable_cores
from maskgen.train.data.examples import Dropped, Example, Wanted
from maskgen.train.data.gather import Gathered, gather
from maskgen.train.data.listing import is_plain_tree
from maskgen.train.data.model_input import shown_example
from maskgen.train.model.classifier import Classifier
from maskgen.train.run_folder import EXAMPLES, read_examples
from maskgen.train.spec import ModelSpec

BATCH = 32


@dataclass(frozen=True)
class Judged:
    """The predictions of a model on n examples of a set."""

    model: str  # its name
    spec: ModelSpec
    of: str  # name of the set
    examples: Sequence[Example]
    labels: NDArray[np.int32]  # (n,) true classes, as indices of the model's classes
    probabilities: NDArray[np.float32]  # (n, classes)
    dropped: Sequence[Dropped]  # the images without a prediction


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

    `name` is that of the set, which is an output folder of `maskgen synth` or a folder tree. Crop, margin
    and a missing label come from the model. `split` can be "all"; without a "test" split, that is
    validation, and without any split all images.
    """
    spec = classifier.spec
    # The labels of a folder tree are its folders, whatever label column the model was trained on.
    label = None if is_plain_tree(data) else wanted.label or spec.label
    own = replace(wanted, crop=spec.crop, margin=spec.margin, label=label)
    whole = gather([data], own, progress=progress)
    gathered = _in_split(whole, split)
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
    return Judged(classifier.name, spec, name, examples, labels, probabilities, dropped)


def _in_split(gathered: Gathered, split: str) -> Gathered:
    if split == "all" or not any(example.split for example in gathered.examples):
        return gathered
    splits = {each.split for each in gathered.examples} | {each.split for each in gathered.dropped}
    if split == "test" and "test" not in splits and "validation" in splits:
        split = "validation"
    return Gathered(gathered.of(split), [each for each in gathered.dropped if each.split == split])


def _judgeable(classifier: Classifier, gathered: Gathered) -> tuple[list[Example], list[Dropped]]:
    record = classifier.path.parent / EXAMPLES
    learnt = read_examples(record) if record.is_file() else []
    seen = {key for example in learnt if example.split != "test" for key in example.keys()}  # noqa: SIM118
    examples: list[Example] = []
    dropped = list(gathered.dropped)
    for example in gathered.examples:
        shared = next((key for key in example.keys() if key in seen), None)  # noqa: SIM118
        if shared is not None:
            dropped.append(example.dropped("seen in training", " ".join(shared)))
        elif example.label not in classifier.spec.classes:
            dropped.append(example.dropped("class not trained", example.label))
        else:
            examples.append(example)
    return examples, dropped


def _predict(
    classifier: Classifier, examples: Sequence[Example], name: str, progress: bool
) -> NDArray[np.float32]:
    read = partial(shown_example, size=classifier.spec.size)
    title, disable = f"{classifier.name} on {name}", None if progress else True
    bar = tqdm(total=len(examples), desc=title, unit="image", disable=disable)
    probabilities = []
    with bar, ThreadPoolExecutor(usable_cores()) as threads:
        for start in range(0, len(examples), BATCH):
            images = np.stack(list(threads.map(read, examples[start : start + BATCH])))
            probabilities.append(classifier.probabilities(images))
            bar.update(len(images))
    return np.concatenate(probabilities)
