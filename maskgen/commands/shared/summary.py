"""Summary of a finished run: text on stderr, and the counts as JSON on stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from maskgen.results.counts import Counts

# If folders are the labels there can be thousands.
_MAX_LISTED = 20


def print_summary(counts: Counts, out: Path, as_json: bool, quiet: bool, *, dry_run: bool = False) -> None:
    """Print the number of inputs by status and label, and where the result is.

    Args:
        counts: Counts of the whole run.
        out: Its output folder.
        as_json: Also print the counts as one JSON object on stdout.
        quiet: Print nothing on stderr.
        dry_run: Print nothing on stderr: nothing was written.
    """
    if as_json:
        click.echo(json.dumps({**counts.as_dict(), "out": str(out)}, ensure_ascii=False))
    if quiet or dry_run:
        return
    click.echo(f"{counts.samples:,} inputs: {_listed(counts.statuses)}", err=True)
    if counts.labels:
        click.echo(f"labels: {_listed(counts.labels)}", err=True)
    if counts.unlabelled:
        click.echo(f"without a label: {counts.unlabelled:,} (README.md says why)", err=True)
    if (out / "manifest.jsonl").is_file():
        click.echo(f"the result is in {out}: manifest.jsonl, README.md, preview.jpg", err=True)


def _listed(counts: Mapping[str, int]) -> str:
    parts = [f"{count:,} {name}" for name, count in islice(counts.items(), _MAX_LISTED)]
    if len(counts) > _MAX_LISTED:
        parts.append(f"and {len(counts) - _MAX_LISTED:,} more")
    return ", ".join(parts) or "none"
