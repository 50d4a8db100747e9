"""Files of a training run folder: its record, examples, dropped images, predictions and tables."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ConfigurationError, MissingDataError, UsageError
from maskgen.files.atomic import open_atomic, write_atomic
from maskgen.files.csv_text import csv_text, plain_cell
from maskgen.files.path_text import from_text, to_text
from maskgen.files.redaction import public_path
from maskgen.files.remote import names_in
from maskgen.files.system_files import is_system_name
from maskgen.keras_runtime import keras_versions
from maskgen.records import Member
from maskgen.results.run_record import versions
from maskgen.train.data.examples import Dropped, Example
from maskgen.train.metrics import decide
from maskgen.train.options import TrainOptions
from maskgen.train.spec import ModelSpec

RECORD, EXAMPLES, DROPPED = "run.json", "examples.jsonl", "dropped.csv"


def open_run(run: Path, overwrite: bool) -> None:
    """Create the folder of a new run; a `UsageError` if it contains a run or other files."""
    if (run / RECORD).exists() and not overwrite:
        raise UsageError(
            f"{run} holds a run already: continue it with --resume {run}, replace it with --overwrite, or "
            "give another --out"
        )
    others = [name for name in names_in(run) if not is_system_name(name)] if run.is_dir() else []
    if others and not (run / RECORD).exists():
        raise UsageError(f"{run} is not empty and holds no run: give another --out")
    run.mkdir(parents=True, exist_ok=True)


def write_record(
    run: Path,
    command: str,
    options: TrainOptions,
    classes: Sequence[str],
    counts: Mapping[str, Any],
    folds: Sequence[int] = (),
) -> None:
    """Write the options, with paths relative to the run folder, the versions and the counts of a run."""
    record = {
        **{"schema": 1, "command": command},
        "options": _with_paths(asdict(options), lambda text: beside(run, Path(text))),
        "classes": classes,
        **({"folds": folds} if folds else {}),
        "versions": {**versions(), **keras_versions()},
        **counts,
    }
    write_json(run / RECORD, record)


def _with_paths(options: Mapping[str, Any], convert: Callable[[str], str]) -> dict[str, Any]:
    weights = options["weights"]
    weights = weights if weights in ("imagenet", "none") else convert(weights)
    landmarks = options["landmarks"] and convert(options["landmarks"])
    data = [convert(each) for each in options["data"]]
    return {**options, "data": data, "weights": weights, "landmarks": landmarks}


def beside(folder: Path, path: Path) -> str:
    """A path as text relative to a folder: published files do not reveal the folders above both."""
    try:
        return to_text(os.path.relpath(path.absolute(), folder.resolve()))
    except ValueError:  # on Windows, another drive
        return to_text(str(path.absolute()))


def _resolve_beside(folder: Path, text: str) -> Path:
    """The absolute path of a text from `beside`."""
    return Path(os.path.normpath(folder.resolve() / from_text(text)))


class Record(NamedTuple):
    """What `read_record` reads; `folds` are empty for a run of a single model."""

    options: TrainOptions
    command: str
    folds: tuple[int, ...]


def read_record(run: Path) -> Record:
    """Read the record of a run; a `ConfigurationError` if another version wrote it."""
    path = run / RECORD
    if not path.is_file():
        raise MissingDataError(f"{run} holds no run of `maskgen train`: {RECORD} is missing")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        options = _with_paths(record["options"], lambda text: str(_resolve_beside(run, text)))
        return Record(TrainOptions.from_dict(options), record["command"], tuple(record.get("folds", ())))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the record of a run: {error}") from error


def add_phase(run: Path, epochs: int) -> None:
    """Add a phase of so many epochs to the record of a run."""
    read_record(run)
    record = json.loads((run / RECORD).read_text(encoding="utf-8"))
    record["options"]["more"].append(epochs)
    write_json(run / RECORD, record)


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write the examples as JSON lines."""
    with open_atomic(path) as file:
        for example in examples:
            values = {
                **asdict(example),
                "path": beside(path.parent, example.path),
                "data": public_path(example.data),
                "hashes": sorted(example.hashes),
            }
            file.write(json.dumps(values).encode() + b"\n")


def read_examples(path: Path) -> list[Example]:
    """Read the examples from JSON lines."""
    examples = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            values["path"] = _resolve_beside(path.parent, values["path"])
            values["hashes"] = frozenset(values["hashes"])
            values["region"] = tuple(values["region"])
            values["box"] = tuple(values["box"]) if values["box"] else None
            # Runs of earlier versions have no tar members.
            values["member"] = Member(**values["member"]) if values.get("member") else None
            examples.append(Example(**values))
    return examples


def write_split(path: Path, examples: Iterable[Example]) -> None:
    """Write the split of every example as CSV."""
    rows = [(e.split, e.label, e.id, beside(path.parent, e.path), e.identity, e.masked) for e in examples]
    write_csv(path, ("split", "label", "id", "path", "identity", "masked"), rows)


def write_dropped(path: Path, dropped: Iterable[Dropped]) -> None:
    """Write the dropped images with their reasons as CSV."""
    rows = [(each.id, each.split, each.reason, each.detail, public_path(each.data)) for each in dropped]
    write_csv(path, ("id", "split", "reason", "detail", "data"), rows)


def read_dropped(path: Path) -> list[Dropped]:
    """Read the dropped images from CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[*map(plain_cell, row)] for row in csv.reader(file)][1:]
    return [Dropped(own, reason, detail, split or None, data) for own, split, reason, detail, data in rows]


def write_predictions(
    path: Path, examples: Sequence[Example], spec: ModelSpec, probabilities: NDArray[np.float32]
) -> None:
    """Write a CSV row for each example: its label, predicted class and all probabilities."""
    columns = ("id", "path", "split", "identity", "masked", "label", "predicted")
    rows = []
    for each, place, row in zip(examples, decide(probabilities), probabilities, strict=True):
        own = (each.id, beside(path.parent, each.path), each.split, each.identity, each.masked, each.label)
        # All digits of a float32: every figure can be recomputed from the file.
        rows.append((*own, spec.classes[place], *(f"{value:.9g}" for value in row)))
    write_csv(path, (*columns, *(f"p_{name}" for name in spec.classes)), rows)


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV table atomically, without formulas in cells (see `maskgen.files.csv_text`)."""
    write_atomic(path, csv_text(head, rows).encode("utf-8", "replace"))


def write_json(path: Path, values: Any) -> None:
    """Write indented JSON atomically."""
    write_atomic(path, (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
