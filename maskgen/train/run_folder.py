"""Files of a training run folder: its record, examples, dropped images, predictions and tables."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
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
from maskgen.keras_runtime import keras, tensorflow
from maskgen.records import Member
from maskgen.results.run_record import versions
from maskgen.train.data.examples import Dropped, Example, reasons, tally
from maskgen.train.metrics import decide
from maskgen.train.options import TrainOptions
from maskgen.train.spec import ModelSpec

RECORD, EXAMPLES, DROPPED = "run.json", "examples.jsonl", "dropped.csv"
PREDICTIONS = "predictions.csv"
DROPPED_COLUMNS = ("id", "split", "reason", "detail", "data")


def open_run(run: Path, overwrite: bool) -> None:
    """Create the folder of a new run.

    Raises:
        UsageError: The folder contains a run or other files.
    """
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
    examples: Sequence[Example],
    dropped: Sequence[Dropped],
) -> None:
    """Write the options, versions and counts of a run, and the lists of its examples and dropped images."""
    write_examples(run / EXAMPLES, examples)
    write_dropped(run / DROPPED, dropped)
    record = {
        "schema": 1,
        "command": command,
        "options": recorded_options(run, options),
        "classes": list(classes),
        "versions": run_versions(),
        "counts": tally(examples),
        "dropped": reasons(dropped),
    }
    write_json(run / RECORD, record)


def recorded_options(run: Path, options: TrainOptions) -> dict[str, Any]:
    """The options as JSON values, with paths relative to the run folder."""
    values = {**asdict(options), "data": [beside(run, Path(each)) for each in options.data]}
    if options.weights not in ("imagenet", "none"):
        values["weights"] = beside(run, Path(options.weights))
    return values


def run_versions() -> dict[str, str]:
    """Versions of the packages a run depends on."""
    return {**versions(), "tensorflow": tensorflow().__version__, "keras": keras().__version__}


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
    classes: tuple[str, ...]
    command: str
    folds: tuple[int, ...]


def read_record(run: Path) -> Record:
    """Read the record of a run.

    Raises:
        MissingDataError: The folder contains no run.
        ConfigurationError: The run is one of another version.
    """
    path = run / RECORD
    if not path.is_file():
        raise MissingDataError(f"{run} holds no run of `maskgen train`: {RECORD} is missing")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        options = dict(record["options"])
        options["data"] = [str(_resolve_beside(run, each)) for each in options["data"]]
        if options["weights"] not in ("imagenet", "none"):
            options["weights"] = str(_resolve_beside(run, options["weights"]))
        classes, folds = tuple(record["classes"]), tuple(record.get("folds", ()))
        return Record(TrainOptions.from_dict(options), classes, record["command"], folds)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the record of a run: {error}") from error


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
    write_csv(
        path,
        ("split", "label", "id", "path", "identity", "masked"),
        [(e.split, e.label, e.id, beside(path.parent, e.path), e.identity, e.masked) for e in examples],
    )


def write_dropped(path: Path, dropped: Iterable[Dropped]) -> None:
    """Write the dropped images with their reasons as CSV."""
    rows = [(each.id, each.split, each.reason, each.detail, public_path(each.data)) for each in dropped]
    write_csv(path, DROPPED_COLUMNS, rows)


def read_dropped(path: Path) -> list[Dropped]:
    """Read the dropped images from CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = ({name: plain_cell(cell) for name, cell in row.items()} for row in csv.DictReader(file))
        return [
            Dropped(row["id"], row["reason"], row["detail"], row["split"] or None, row["data"])
            for row in rows
        ]


def write_predictions(
    path: Path, examples: Sequence[Example], spec: ModelSpec, probabilities: NDArray[np.float32]
) -> None:
    """Write a CSV row for each example: its label, predicted class and all probabilities."""
    columns = ("id", "path", "split", "identity", "masked", "label", "predicted")
    rows = [
        (
            *(each.id, beside(path.parent, each.path), each.split, each.identity, each.masked, each.label),
            spec.classes[place],
            # All digits of a float32: every figure can be recomputed from the file.
            *(f"{value:.9g}" for value in row),
        )
        for each, place, row in zip(
            examples, decide(probabilities, spec.threshold), probabilities, strict=True
        )
    ]
    write_csv(path, (*columns, *(f"p_{name}" for name in spec.classes)), rows)


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV table atomically, without formulas in cells (see `maskgen.files.csv_text`)."""
    write_atomic(path, csv_text(head, rows).encode("utf-8", "replace"))


def write_json(path: Path, values: Any) -> None:
    """Write indented JSON atomically."""
    write_atomic(path, (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
