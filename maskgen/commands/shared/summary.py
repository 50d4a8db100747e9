"""Summary of a finished run: text on stderr, and the counts as JSON on stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from maskgen.results.counts import Counts

# If folders are the labels there can be thousands.
_MAX_LISTED = 20


def print_summary(counts: Counts, out: Path, as_json: bool, quiet: bool) -> None:
    """Print the number of inputs by status and label, and where the result is."""
    if as_json:
        click.echo(json.dumps({**counts.as_dict(), "out": str(out)}, ensure_ascii=False))
    if quiet:
        return
    click.echo(f"{counts.samples:,} inputs: {_listed(counts.statuses)}", err=True)
    if counts.labels:
        click.echo(f"labels: {_listed(counts.labels)}", err=True)
    if counts.unlabelled:
        click.echo(f"without a label: {counts.unlabelled:,} (README.md says why)", err=True)
    if (out / "manifest.jsonl").is_file():
        click.echo(f"the result is in {out}: manifest.jsonl, README.md, preview.jpg", err=True)


def _listed(counts: Mapping[str, int]) -> str:
    parts = [f"{count:,} {name}" for name, count in counts.items()]
    if len(parts) > _MAX_LISTED:
        parts[_MAX_LISTED:] = [f"and {len(parts) - _MAX_LISTED:,} more"]
    return ", ".join(parts) or "none"
