"""What a training leaves in its folder, besides curves and models: who took part, and the run's record."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ConfigurationError, MissingDataError, UsageError
from maskgen.files.atomic import open_atomic, write_atomic
from maskgen.files.csv_text import csv_text, plain_cell
from maskgen.files.path_text import from_text, to_text
from maskgen.files.redaction import public_path
from maskgen.files.remote import names_in
from maskgen.files.system_files import is_system_name
from maskgen.records import Member
from maskgen.results.run_record import versions
from maskgen.train.data.examples import Dropped, Example, reasons, tally
from maskgen.train.options import TrainOptions

RECORD, EXAMPLES, DROPPED = "run.json", "examples.jsonl", "dropped.csv"
PREDICTIONS = "predictions.csv"
DROPPED_COLUMNS = ("id", "split", "reason", "detail", "data")


def open_run(run: Path, overwrite: bool) -> None:
    """See to it that a new run has its folder to itself.

    Raises:
        UsageError: There is a run in it already.
    """
    if (run / RECORD).exists() and not overwrite:
        raise UsageError(
            f"{run} holds a run already: go on with it by --resume {run}, start anew with --overwrite, or "
            "give another --out"
        )
    own = [name for name in names_in(run) if not is_system_name(name)] if run.is_dir() else []
    if own and not (run / RECORD).exists():
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
    """Write the run's options, versions and counts; `read_record` reads the options and classes back."""
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
    """The options as JSON values; the paths in them are relative to the run's folder."""
    values = options.as_dict()
    values["data"] = [beside(run, Path(each)) for each in options.data]
    if options.weights not in ("imagenet", "none"):
        values["weights"] = beside(run, Path(options.weights))
    return values


def beside(folder: Path, path: Path) -> str:
    """A path as text relative to a folder, so that a published file says nothing of what lies above both."""
    try:
        return to_text(os.path.relpath(path.absolute(), folder.resolve()))
    except ValueError:  # on Windows, another drive
        return to_text(str(path.absolute()))


def _found_beside(folder: Path, text: str) -> Path:
    """The absolute path that `beside` was given."""
    return Path(os.path.normpath(folder.resolve() / from_text(text)))


def read_record(run: Path) -> tuple[TrainOptions, tuple[str, ...], str]:
    """Options, classes and command of a run.

    Raises:
        MissingDataError: The folder holds no run.
        ConfigurationError: It holds one of another version.
    """
    path = run / RECORD
    if not path.is_file():
        raise MissingDataError(f"{run} holds no run of `maskgen train`: {RECORD} is not there")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        options = dict(record["options"])
        options["data"] = [str(_found_beside(run, each)) for each in options["data"]]
        if options["weights"] not in ("imagenet", "none"):
            options["weights"] = str(_found_beside(run, options["weights"]))
        return TrainOptions.from_dict(options), tuple(record["classes"]), record["command"]
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
    """Read what `write_examples` wrote."""
    examples = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            values["path"] = _found_beside(path.parent, values["path"])
            values["hashes"] = frozenset(values["hashes"])
            values["region"] = tuple(values["region"])
            values["box"] = tuple(values["box"]) if values["box"] else None
            # Runs of earlier versions know of no tars.
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
    """Write what was left out, and why, as CSV."""
    rows = [(each.id, each.split, each.reason, each.detail, public_path(each.data)) for each in dropped]
    write_csv(path, DROPPED_COLUMNS, rows)


def read_dropped(path: Path) -> list[Dropped]:
    """Read what `write_dropped` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = ({name: plain_cell(cell) for name, cell in row.items()} for row in csv.DictReader(file))
        return [
            Dropped(row["id"], row["reason"], row["detail"], row["split"] or None, row["data"])
            for row in rows
        ]


def write_predictions(
    path: Path,
    examples: Sequence[Example],
    classes: Sequence[str],
    predicted: NDArray[np.int32],
    probabilities: NDArray[np.float32],
) -> None:
    """Write a row for each example: what it is, what was said, and every probability."""
    head = ("id", "path", "split", "identity", "masked", "label", "predicted", *(f"p_{c}" for c in classes))
    rows = [
        (
            *(each.id, beside(path.parent, each.path), each.split, each.identity, each.masked, each.label),
            classes[said],
            # All digits of a float32, so that every figure can be computed again from the file.
            *(f"{value:.9g}" for value in row),
        )
        for each, said, row in zip(examples, predicted, probabilities, strict=True)
    ]
    write_csv(path, head, rows)


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table, whole or not at all; no cell of it starts a formula (see `maskgen.files.csv_text`)."""
    write_atomic(path, csv_text(head, rows).encode("utf-8", "replace"))


def write_json(path: Path, values: Any) -> None:
    """Write JSON for people, whole or not at all."""
    write_atomic(path, (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


def run_versions() -> dict[str, str]:
    """Versions of everything a run depends on, without importing what is slow to import."""
    from importlib import metadata

    found = dict(versions())
    for name in ("tensorflow", "keras"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
