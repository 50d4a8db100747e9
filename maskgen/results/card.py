"""Write the dataset card ``README.md`` of a result: source, options, label counts and limits."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
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
_FACE_FIELDS = ("template", "kind", "tone", "wear", "detection")


@dataclass
class Tally:
    """The counts of the card.

    Attributes:
        status: Rows of each status.
        images: "split" and "label" -> value -> masked images.
        faces: "template", "kind", "tone", "wear" and "detection" -> (value, label) -> masked faces.
        agreeing: Masked faces whose measured coverage agrees with their wear.
        unlabelled: The first `NAMED` inputs without a label, with the reason.
        unlabelled_count: The number of inputs without a label.
        unmasked: Status -> the first `NAMED` inputs with the reason.
    """

    status: Counter[str] = field(default_factory=Counter)
    images: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faces: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    agreeing: int = 0
    unlabelled: list[tuple[str, str]] = field(default_factory=list)
    unlabelled_count: int = 0
    unmasked: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))


def tally(rows: Iterable[ManifestRow]) -> Tally:
    """Count all rows of a manifest as a stream."""
    counts = Tally()
    for row in rows:
        counts.status[row.status] += 1
        if row.label is None and row.variant == 0:
            counts.unlabelled_count += 1
            if len(counts.unlabelled) < NAMED:
                counts.unlabelled.append((row.id, row.reason or ""))
        if row.status != "masked":
            if len(counts.unmasked[row.status]) < NAMED:
                counts.unmasked[row.status].append((row.id, row.reason or ""))
            continue
        label = row.label or "(none)"
        counts.images["split"][row.split or "(none)"] += 1
        counts.images["label"][label] += 1
        for face in row.faces:
            for name in _FACE_FIELDS:
                counts.faces[name][getattr(face, name) or "(none)", label] += 1
            counts.agreeing += face.wear_agrees
    return counts


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
    counts = tally(read_manifest(out / "manifest.jsonl"))
    table = (out / "metadata.jsonl").is_file()
    write_atomic(out / "README.md", _card(record, counts, preview, table).encode())
    return out / "README.md"


def _card(record: Mapping[str, Any], counts: Tally, preview: bool, table: bool) -> str:
    """The card as Markdown with a YAML header, which points to ``metadata.jsonl`` if there is a ``table``."""
    source, options = record.get("source") or {}, record.get("options") or {}
    title = f"{source.get('title') or options.get('dataset', 'faces')}, masked by maskgen"
    masked = counts.status["masked"]
    loaded = LOADED if table else LOADED_TARS if masked and options.get("layout") == "webdataset" else ""
    statuses = {name: counts.status[name] for name in STATUSES if counts.status[name]}
    unlabelled = counts.unlabelled_count if options.get("label") else 0
    parts = [
        f"---\n{_header(title, source, options, masked)}{loaded}\n---",
        f"# {title}",
        f"{masked:,} masked images of {counts.status.total():,} inputs and variants. Every input has its "
        "line in `manifest.jsonl`, whatever became of it.",
        "![source, masked image and alpha](preview.jpg)" if preview else "",
        "## What this is\n\n" + NOTICE,
        "## Source and terms\n\n" + _facts(source) + "\n\n" + TERMS,
        "## What the labels are\n\n" + LABELS,
        "## How it was made\n\n" + _making(record),
        "## Counts\n\nInputs and variants by status:\n\n" + _counts_table("status", statuses),
        *(_counts_by("images", name, table) for name, table in counts.images.items()),
        *(_counts_by("faces", name, _totals(table)) for name, table in counts.faces.items()),
        f"The measured coverage agrees with the wear on {counts.agreeing:,} of "
        f"{counts.faces['wear'].total():,} faces."
        if counts.faces
        else "",
        "## Independence of the label\n\n" + CONTINGENCY,
        *(_contingency(name, counts.faces[name]) for name in ("kind", "wear") if name in counts.faces),
        _inputs(f"Without label: {unlabelled:,} inputs", counts.unlabelled, unlabelled),
        *(
            _inputs(f"Not masked, {name}: {number:,}", counts.unmasked[name], number)
            for name, number in statuses.items()
            if name != "masked"
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(title: str, source: Mapping[str, Any], options: Mapping[str, Any], masked: int) -> str:
    sizes = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    size = next((name for limit, name in sizes if masked < limit), "1M<n<10M")
    homepage = source.get("homepage")
    link = f"license_link: {json.dumps(homepage)}\n" if homepage else ""
    return f"""\
pretty_name: {json.dumps(title, ensure_ascii=False)}
license: other
license_name: {json.dumps(f"{options.get('dataset', 'source')}-terms")}
{link}task_categories:
- image-classification
tags:
- face-mask
- synthetic
- maskgen
size_categories:
- {size}
source_datasets:
- extended"""


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


def _totals(table: Counter[tuple[str, str]]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for (value, _), count in table.items():
        totals[value] += count
    return totals


def _counts_by(what: str, name: str, counts: Counter[str]) -> str:
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return f"Masked {what} by {name}:\n\n" + _counts_table(name, ordered)


def _counts_table(name: str, counts: Mapping[str, int]) -> str:
    return _table([name, "count"], [[value, f"{count:,}"] for value, count in counts.items()])


def _contingency(name: str, table: Counter[tuple[str, str]]) -> str:
    values, labels = (sorted(set(each)) for each in zip(*table, strict=True))
    totals = {label: sum(table[value, label] for value in values) for label in labels}
    rows = [
        [value, *(f"{table[value, label]:,} ({table[value, label] / totals[label]:.0%})" for label in labels)]
        for value in values
    ]
    return f"Masked faces, {name} by label:\n\n" + _table([name, *labels], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(map(_plain, line)) + " |" for line in lines)


def _inputs(title: str, inputs: Sequence[tuple[str, str]], count: int) -> str:
    if not count:
        return ""
    lines = [f"- `{_plain(name)}`" + (f": {_plain(reason)}" if reason else "") for name, reason in inputs]
    if count > len(inputs):
        lines.append(f"- and {count - len(inputs):,} more: see `manifest.jsonl`")
    return f"## {title}\n\n" + "\n".join(lines)


def _plain(text: str) -> str:
    """Escape untrusted text, which must not end a line, a code span or a table cell."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|").replace("<", "&lt;")


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
