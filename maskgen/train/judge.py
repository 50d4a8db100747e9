"""Run models on one labelled set: their predictions, and the images that they cannot be tested on."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from maskgen.errors import MissingDataError
from maskgen.process import usable_cores
from maskgen.train.data.examples import Dropped, Example, Wanted
from maskgen.train.data.gather import Gathered, Known, list_data, refuse_none, usable
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
    classifiers: Sequence[Classifier],
    name: str,
    data: Path,
    wanted: Wanted,
    split: str = "test",
    *,
    progress: bool = True,
) -> list[Judged]:
    """Run models on the images of a set.

    Only the images of the split are opened: each is checked once, and decoded once for each kind of input
    that the models take. Images whose person, source or content is in a model's training or validation split
    are dropped for it, if the list of examples is still beside the model in its run folder.

    `name` is that of the set, which is an output folder of `maskgen synth` or a folder tree. Crop, margin
    and a missing label come from each model. `split` can be "all"; without a "test" split, that is
    validation, and without any split all images.
    """
    known = Known()
    tasks, dropped = [], []
    for classifier in classifiers:
        spec = classifier.spec
        # The labels of a folder tree are its folders, whatever label column the model was trained on.
        label = None if is_plain_tree(data) else wanted.label or spec.label
        own = replace(wanted, crop=spec.crop, margin=spec.margin, label=label)
        gathered = usable(_in_split(list_data([data], own), data, own, split), own, known, progress=progress)
        refuse_none(gathered, [data], own)
        examples, without = _judgeable(classifier, gathered)
        if not examples:
            raise MissingDataError(
                f"no image of {data} can be judged by {classifier.name}: {len(without):,} are dropped, the "
                f"first: {without[0].id}: {without[0].reason} {without[0].detail}"
            )
        tasks.append((classifier, examples))
        dropped.append(without)
    return [
        Judged(
            *(classifier.name, classifier.spec, name, examples),
            np.array([classifier.spec.classes.index(each.label) for each in examples], dtype=np.int32),
            *(probabilities, without),
        )
        for (classifier, examples), probabilities, without in zip(
            tasks, _predict(tasks, name, progress), dropped, strict=True
        )
    ]


def _in_split(listed: Gathered, data: Path, wanted: Wanted, split: str) -> Gathered:
    """The listed images of a split; an error that names the splits of the set if there is none."""
    refuse_none(listed, [data], wanted)
    if split == "all" or not any(example.split for example in listed.examples):
        return listed
    splits = {each.split for each in listed.examples} | {each.split for each in listed.dropped}
    if split == "test" and "test" not in splits and "validation" in splits:
        split = "validation"
    own = listed.of(split)
    if not own:
        available = sorted({example.split or "no split" for example in listed.examples})
        raise MissingDataError(
            f"{data} has no image in {split}, only in {', '.join(available)}: "
            f"give --split {available[0]}, or all"
        )
    return Gathered(own, [each for each in listed.dropped if each.split == split])


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
    tasks: Sequence[tuple[Classifier, Sequence[Example]]], name: str, progress: bool
) -> list[NDArray[np.float32]]:
    """The probabilities of each model for its examples; models with the same input share its decoding."""
    # What a model is shown -> (number of the model, place among its examples) of those that are shown it.
    places: dict[tuple[Any, ...], list[tuple[int, int]]] = defaultdict(list)
    for number, (classifier, examples) in enumerate(tasks):
        for place, each in enumerate(examples):
            shown = each.path, each.member, each.region, classifier.spec.size
            places[shown].append((number, place))
    results = [np.empty((len(own), len(each.spec.classes)), np.float32) for each, own in tasks]
    waiting: list[list[tuple[int, NDArray[np.uint8]]]] = [[] for _ in tasks]

    def run(number: int) -> None:
        if waiting[number]:
            rows, images = zip(*waiting[number], strict=True)
            results[number][list(rows)] = tasks[number][0].probabilities(np.stack(images))
            waiting[number].clear()

    def read(users: list[tuple[int, int]]) -> NDArray[np.uint8]:
        number, place = users[0]
        return shown_example(tasks[number][1][place], tasks[number][0].spec.size)

    # By file, so that the inputs of one image are read together, while the system still has the file.
    inputs = [users for _, users in sorted(places.items(), key=lambda item: item[1][0][1])]
    title, disable = f"{', '.join(each.name for each, _ in tasks)} on {name}", None if progress else True
    bar = tqdm(total=len(inputs), desc=title, unit="image", disable=disable)
    with bar, ThreadPoolExecutor(usable_cores()) as threads:
        for start in range(0, len(inputs), BATCH):
            batch = inputs[start : start + BATCH]
            for users, image in zip(batch, threads.map(read, batch), strict=True):
                for number, place in users:
                    waiting[number].append((place, image))
                    if len(waiting[number]) == BATCH:
                        run(number)
            bar.update(len(batch))
        for number in range(len(tasks)):
            run(number)
    return results
