"""`maskgen datasets`: the adapters, and which of their datasets are found here."""

from __future__ import annotations

import json

import click


@click.command(name="datasets")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, with homepage, terms and expected files.")
def command(as_json: bool) -> None:
    """List the datasets maskgen reads, and which are found.

    Each is looked for in $MASKGEN_DATA/NAME, ./data/NAME and ./NAME.
    """
    from maskgen.datasets import found

    for dataset, place in found():
        if as_json:
            row = {
                "name": dataset.name,
                "title": dataset.title,
                "found": None if place is None else str(place),
                "homepage": dataset.homepage,
                "licence": dataset.licence,
                "forbids": dataset.forbids,
                "citation": dataset.citation,
                "expects": list(dataset.expects),
                "label": dataset.label,
            }
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            # The place comes last: it is the one column that may be long.
            click.echo(f"{dataset.name:<16}{dataset.title:<44}{place or 'not found; expects'}")
            for expected in () if place else dataset.expects:
                click.echo(f"{'':<16}  {expected}")
