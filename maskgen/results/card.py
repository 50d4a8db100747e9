"""Write the dataset card ``README.md`` of a result: source, options, label counts and limits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskgen.files.atomic import write_atomic
from maskgen.records import STATUSES, ManifestRow
from maskgen.results.contact_sheet import write_contact_sheet
from maskgen.results.manifest import read_manifest
from maskgen.results.run_record import read_record

NAMED = 20  # inputs that each list of the card names


@dataclass
class Tally:
    """The counts of the card, from one pass over the manifest.

    Attributes:
        status: Rows of each status.
        counts: "split", "label", "template", "kind", "tone", "wear" and "detection" -> value -> count; split
            and label count written images, the others masked faces.
        tables: "kind" and "wear" -> (value, label) -> masked faces.
        unlabelled: The first `NAMED` inputs without a label, with the reason.
        unlabelled_count: The number of inputs without a label.
        unmasked: Status -> the first `NAMED` inputs with the reason.
        agreeing: Masked faces whose measured coverage agrees with their wear.
    """

    status: Counter[str] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    tables: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    unlabelled: list[tuple[str, str]] = field(default_factory=list)
    unlabelled_count: int = 0
    unmasked: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    agreeing: int = 0

    def add(self, row: ManifestRow) -> None:
        """Count one row."""
        self.status[row.status] += 1
        if row.label is None and row.variant == 0:
            self.unlabelled_count += 1
            if len(self.unlabelled) < NAMED:
                self.unlabelled.append((row.id, row.reason or ""))
        if row.status != "masked":
            named = self.unmasked.setdefault(row.status, [])
            if len(named) < NAMED:
                named.append((row.id, row.reason or ""))
            return
        label = row.label or "(none)"
        self._count("split", row.split or "(none)")
        self._count("label", label)
        for face in row.faces:
            for name in ("template", "kind", "tone", "wear", "detection"):
                self._count(name, getattr(face, name) or "(none)")
            for name in ("kind", "wear"):
                self.tables.setdefault(name, Counter())[getattr(face, name) or "(none)", label] += 1
            self.agreeing += face.wear_agrees

    def _count(self, name: str, value: str) -> None:
        self.counts.setdefault(name, Counter())[value] += 1


def tally(rows: Iterable[ManifestRow]) -> Tally:
    """Count all rows of a manifest as a stream."""
    counted = Tally()
    for row in rows:
        counted.add(row)
    return counted


def write_report(out: Path, root: Path | None = None, samples: int = 24) -> None:
    """Write the card and the contact sheet of a result.

    Args:
        out: An output folder of `maskgen synth`.
        root: The root of its sources, for the contact sheet.
        samples: Number of images on the contact sheet.
    """
    preview = write_contact_sheet(out, root, samples)
    write_card(out, preview=preview is not None)


def write_card(out: Path, preview: bool = True) -> Path:
    """Write ``OUT/README.md``; the same manifest and run record give the same bytes.

    Args:
        out: A folder with ``manifest.jsonl`` and ``maskgen.json``.
        preview: Whether it shows ``preview.jpg``.

    Raises:
        MissingDataError: One of the two files is absent.
        ConfigurationError: The run record is not JSON.
    """
    record = read_record(out)
    counted = tally(read_manifest(out / "manifest.jsonl"))
    path = out / "README.md"
    table = (out / "metadata.jsonl").is_file()
    write_atomic(path, card(record, counted, preview, table).encode())
    return path


def card(record: Mapping[str, Any], counted: Tally, preview: bool = True, table: bool = False) -> str:
    """The card as Markdown with a YAML header.

    Args:
        record: The run record.
        counted: The counts.
        preview: Whether it shows ``preview.jpg``.
        table: Whether the header points to ``metadata.jsonl``.
    """
    source = record.get("source") or {}
    options = record.get("options") or {}
    title = f"{source.get('title') or options.get('dataset', 'faces')}, masked by maskgen"
    rows = counted.status.total()
    by_status = {name: counted.status[name] for name in STATUSES if counted.status[name]}
    parts = [
        _header(title, source, options, counted.status["masked"], table),
        f"# {title}",
        f"{counted.status['masked']:,} masked images of {rows:,} inputs and variants. Every input has its "
        "line in `manifest.jsonl`, whatever became of it.",
        "![source, masked image and alpha](preview.jpg)" if preview else "",
        "## What this is\n\n" + NOTICE,
        "## Source and terms\n\n" + _facts(source) + "\n\n" + TERMS,
        "## What the labels are\n\n" + LABELS,
        "## How it was made\n\n" + _making(record),
        "## Counts\n\nInputs and variants by status:\n\n" + _counts("status", by_status),
        *_count_sections(counted),
        "## Independence of the label\n\n" + CONTINGENCY,
        *(_contingency(name, counted.tables[name]) for name in ("kind", "wear") if name in counted.tables),
        _list_of_unlabelled(counted) if options.get("label") else "",
        *(_list_of_unmasked(counted, status) for status in STATUSES if status in counted.unmasked),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(
    title: str, source: Mapping[str, Any], options: Mapping[str, Any], masked: int, table: bool
) -> str:
    sizes = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    size = next((name for limit, name in sizes if masked < limit), "1M<n<10M")
    terms = f"{options.get('dataset', 'source')}-terms"
    lines = [
        f"pretty_name: {json.dumps(title, ensure_ascii=False)}",
        "license: other",
        f"license_name: {json.dumps(terms)}",
    ]
    if source.get("homepage"):
        lines.append(f"license_link: {json.dumps(source['homepage'])}")
    lines += [
        "task_categories:",
        "- image-classification",
        "tags:",
        "- face-mask",
        "- synthetic",
        "- maskgen",
    ]
    lines += [f"size_categories:\n- {size}", "source_datasets:", "- extended"]
    loaded = LOADED if table else LOADED_TARS if masked and options.get("layout") == "webdataset" else ""
    return "---\n" + "\n".join(lines) + loaded + "\n---"


def _facts(source: Mapping[str, Any]) -> str:
    names = {"title": "Dataset", "homepage": "Home page", "licence": "Terms"}
    names |= {"forbids": "What they forbid", "citation": "Cite as"}
    lines = [f"- {label}: {source[name]}" for name, label in names.items() if source.get(name)]
    return "\n".join(lines) or "Not recorded."


def _making(record: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items())
    command = record.get("command") or "maskgen synth"
    return (
        f"```\n{command}\n```\n\nThe same command over the same files, with the same versions ({versions}) "
        "and on a processor of the same kind, gives the same bytes. All options, and the hashes of the "
        "templates, are in `maskgen.json`."
    )


def _count_sections(counted: Tally) -> list[str]:
    sections = []
    for name in ("split", "label"):
        if name in counted.counts:
            sections.append(f"Masked images by {name}:\n\n" + _counts(name, _sorted(counted.counts[name])))
    for name in ("template", "kind", "tone", "wear", "detection"):
        if name in counted.counts:
            sections.append(f"Masked faces by {name}:\n\n" + _counts(name, _sorted(counted.counts[name])))
    if "wear" in counted.counts:
        faces = counted.counts["wear"].total()
        sections.append(
            f"The measured coverage agrees with the wear on {counted.agreeing:,} of {faces:,} faces."
        )
    return sections


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _counts(name: str, counts: Mapping[str, int]) -> str:
    return _table([name, "count"], [[value, f"{count:,}"] for value, count in counts.items()])


def _contingency(name: str, table: Counter[tuple[str, str]]) -> str:
    values = sorted({value for value, _ in table})
    labels = sorted({label for _, label in table})
    totals = {label: sum(table[value, label] for value in values) for label in labels}
    rows = [
        [value, *(f"{table[value, label]:,} ({table[value, label] / totals[label]:.0%})" for label in labels)]
        for value in values
    ]
    return f"Masked faces, {name} by label:\n\n" + _table([name, *labels], rows)


def _list_of_unlabelled(counted: Tally) -> str:
    if not counted.unlabelled_count:
        return ""
    return f"## Without label: {counted.unlabelled_count:,} inputs\n\n" + _named(
        counted.unlabelled, counted.unlabelled_count
    )


def _list_of_unmasked(counted: Tally, status: str) -> str:
    count = counted.status[status]
    return f"## Not masked, {status}: {count:,}\n\n" + _named(counted.unmasked[status], count)


def _named(inputs: Sequence[tuple[str, str]], count: int) -> str:
    lines = [f"- `{_plain(name)}`" + (f": {_plain(reason)}" if reason else "") for name, reason in inputs]
    if count > len(inputs):
        lines.append(f"- and {count - len(inputs):,} more: see `manifest.jsonl`")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Escape untrusted text, which must not end a line, a code span or a table cell."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|").replace("<", "&lt;")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    cells = (
        [_plain(cell) for cell in line] if index != 1 else list(line) for index, line in enumerate(lines)
    )
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


NOTICE = """\
These images are synthetic edits of photographs of real people: the masks were never there. They show
neither how these people look with a mask nor that they wore one, and must not be shown as if they did. Few
of these people were asked whether they want to be in a dataset."""

TERMS = """\
The masked images, the alphas and the manifest are made from the source, and all that its terms ask or
forbid holds for them too. maskgen's own licence covers the program and its mask templates, not these
images. What is said above is a summary: read the terms at the home page before you pass anything on."""

LABELS = """\
"gender", "age", "race" and the like are what the source's annotators, its file names or a program wrote down
from the outside, in the few classes that it had. They are not what the people say of themselves, they are
wrong for some of them, and they leave no room for others. A classifier that is trained on them learns to
guess such labels from images; it does not know anyone's gender. Do not use it to decide about people."""

# For `datasets.load_dataset(OUT)`. Without it the library takes a label file such as CelebA's
# list_eval_partition.txt for the test split.
LOADED = """
configs:
- config_name: default
  data_files:
  - split: train
    path:
    - metadata.jsonl
    - "**/*.[jpwJPW][pneiPNEI]*"
""".rstrip()

LOADED_TARS = """
configs:
- config_name: default
  data_files:
  - split: train
    path: "shards/*.tar"
""".rstrip()

CONTINGENCY = """\
Template, colour and wear are drawn from the seed and the image's name alone, independently of every
attribute; these tables show what came of it. Where a share differs much between the columns, the counts are
small, or faces were not found."""
