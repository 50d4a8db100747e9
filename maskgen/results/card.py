"""Write the dataset card ``README.md`` of a result: source, options, label counts and limits."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from maskgen.files.atomic import write_atomic
from maskgen.records import STATUSES, ManifestRow
from maskgen.results.contact_sheet import write_contact_sheet
from maskgen.results.manifest import read_manifest
from maskgen.results.run_record import read_record

NAMED = 20  # inputs that each list of the card names
_FACE_FIELDS = ("template", "kind", "tone", "wear", "detection")
_UNLABELLED = "unlabelled"
_TEMPLATE = Template(Path(__file__).with_suffix(".md").read_text(encoding="utf-8"))
_FACTS = (
    *(("title", "Dataset"), ("homepage", "Home page"), ("licence", "Terms")),
    *(("forbids", "What they forbid"), ("citation", "Cite as")),
)
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

# For `datasets.load_dataset(OUT)`. Without it the library takes a label file such as CelebA's
# list_eval_partition.txt for the test split.
_CONFIGS = """
configs:
- config_name: default
  data_files:
  - split: train
    path:"""
_TABLE_PATHS = '''
    - metadata.jsonl
    - "**/*.[jpwJPW][pneiPNEI]*"'''
_TAR_PATHS = ' "shards/*.tar"'


@dataclass
class Tally:
    """The counts of the card, and the first `NAMED` inputs without a mask or label."""

    status: Counter[str] = field(default_factory=Counter)  # rows
    # Masked images by "split" and "label", masked faces by each of `_FACE_FIELDS`: field -> value -> label.
    masked: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    agrees: Counter[bool] = field(default_factory=Counter)  # masked faces: does the coverage fit the wear?
    unlabelled_count: int = 0
    inputs: dict[str, list[ManifestRow]] = field(default_factory=lambda: defaultdict(list))  # by heading


def tally(rows: Iterable[ManifestRow]) -> Tally:
    """Count all rows of a manifest as a stream."""
    counts = Tally()
    for row in rows:
        counts.status[row.status] += 1
        is_unlabelled, label = row.label is None and row.variant == 0, row.label or "(none)"
        counts.unlabelled_count += is_unlabelled
        for heading, applies in ((_UNLABELLED, is_unlabelled), (row.status, row.status != "masked")):
            if applies and len(counts.inputs[heading]) < NAMED:
                counts.inputs[heading].append(row)
        if row.status == "masked":
            counts.masked["split"][row.split or "(none)"][label] += 1
            counts.masked["label"][label][label] += 1
            for face in row.faces:
                for name in _FACE_FIELDS:
                    counts.masked[name][getattr(face, name) or "(none)"][label] += 1
                counts.agrees[face.wear_agrees] += 1
    return counts


def write_report(out: Path, root: Path | None = None, samples: int = 24) -> None:
    """Write the card and the contact sheet, of so many samples, of a result with sources below ``root``."""
    preview = write_contact_sheet(out, root, samples)
    write_card(out, preview=preview is not None)


def write_card(out: Path, preview: bool = True) -> Path:
    """Write ``OUT/README.md``; the same manifest and run record give the same bytes.

    Raises like `read_manifest` and `read_record`.
    """
    record, counts = read_record(out), tally(read_manifest(out / "manifest.jsonl"))
    card = _card(record, counts, preview, has_table=(out / "metadata.jsonl").is_file())
    write_atomic(out / "README.md", card.encode())
    return out / "README.md"


def _card(record: Mapping[str, Any], counts: Tally, preview: bool, has_table: bool) -> str:
    """The card as Markdown with a YAML header; ``has_table``: the header points to ``metadata.jsonl``."""
    source, options = record.get("source") or {}, record.get("options") or {}
    title = f"{source.get('title') or options.get('dataset', 'faces')}, masked by maskgen"
    homepage, masked = source.get("homepage"), counts.status["masked"]
    packed = masked and options.get("layout") == "webdataset"
    facts = [f"- {words}: {source[name]}" for name, words in _FACTS if source.get(name)]
    statuses = {name: counts.status[name] for name in STATUSES if counts.status[name]}
    tables = [f"Inputs and variants by status:\n\n{_count_table('status', statuses.items())}"]
    for name, values in counts.masked.items():
        totals = {value: labels.total() for value, labels in values.items()}
        ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        what = "faces" if name in _FACE_FIELDS else "images"
        tables.append(f"Masked {what} by {name}:\n\n{_count_table(name, ordered)}")
    lists: list[str] = []
    if faces := counts.agrees.total():
        share = f"{counts.agrees[True]:,} of {faces:,} faces"
        tables.append(f"The measured coverage agrees with the wear on {share}.")
        lists = [_contingency(name, counts.masked[name]) for name in ("kind", "wear")]
    if options.get("label") and (count := counts.unlabelled_count):
        lists.append(_inputs(f"Without label: {count:,} inputs", counts.inputs[_UNLABELLED], count))
    for name, count in statuses.items():
        if name != "masked":
            lists.append(_inputs(f"Not masked, {name}: {count:,}", counts.inputs[name], count))
    return _TEMPLATE.substitute(
        pretty_name=json.dumps(title, ensure_ascii=False),
        license_name=json.dumps(f"{options.get('dataset', 'source')}-terms"),
        license_link=f"license_link: {json.dumps(homepage)}\n" if homepage else "",
        size=next((name for limit, name in _SIZES if masked < limit), "1M<n<10M"),
        configs=_CONFIGS + (_TABLE_PATHS if has_table else _TAR_PATHS) if has_table or packed else "",
        title=title,
        masked=f"{masked:,}",
        rows=f"{counts.status.total():,}",
        preview="![source, masked image and alpha](preview.jpg)\n\n" if preview else "",
        facts="\n".join(facts) or "Not recorded.",
        command=record.get("command") or "maskgen synth",
        versions=", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items()),
        counts="\n\n".join(tables),
        lists="".join(f"\n\n{each}" for each in lists),
    )


def _count_table(name: str, counts: Iterable[tuple[str, int]]) -> str:
    return _table([name, "count"], [[value, f"{count:,}"] for value, count in counts])


def _contingency(name: str, counts: Mapping[str, Counter[str]]) -> str:
    totals = sum(counts.values(), Counter[str]())
    labels = sorted(totals)
    rows = [
        [value, *(f"{own[label]:,} ({own[label] / totals[label]:.0%})" for label in labels)]
        for value, own in sorted(counts.items())
    ]
    return f"Masked faces, {name} by label:\n\n" + _table([name, *labels], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(map(_plain, line)) + " |" for line in lines)


def _inputs(title: str, rows: Sequence[ManifestRow], count: int) -> str:
    lines = [f"- `{_plain(row.id)}`" + (f": {_plain(row.reason)}" if row.reason else "") for row in rows]
    if count > len(rows):
        lines.append(f"- and {count - len(rows):,} more: see `manifest.jsonl`")
    return f"## {title}\n\n" + "\n".join(lines)


def _plain(text: str) -> str:
    """Escape untrusted text, which must not end a line, a code span or a table cell."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|").replace("<", "&lt;")
