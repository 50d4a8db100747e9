"""What a run says when it ends: for people on stderr, or the counts as JSON on stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from maskgen.results.counts import Counts

# With folders as labels there may be thousands.
_LISTED = 20


def print_summary(counts: Counts, out: Path, as_json: bool, quiet: bool, *, dry_run: bool = False) -> None:
    """Say how many inputs came to what, and where the result is.

    Args:
        counts: Of the whole run.
        out: The folder it wrote into.
        as_json: Print the counts as one JSON object on stdout as well.
        quiet: Print nothing on stderr.
        dry_run: Whether nothing was written.
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
    listed = [f"{count:,} {name}" for name, count in islice(counts.items(), _LISTED)]
    more = [f"and {len(counts) - _LISTED:,} more"] if len(counts) > _LISTED else []
    return ", ".join(listed + more) or "none"
