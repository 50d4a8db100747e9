"""`maskgen datasets`: list the dataset adapters and where their datasets are."""

import json

import click


@click.command(name="datasets")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON lines, with home page, terms of use and expected files.",
)
def command(as_json: bool) -> None:
    """List the supported datasets and where they are.

    Each dataset is searched for in $MASKGEN_DATA/NAME, ./data/NAME and ./NAME.
    """
    from maskgen.datasets import found

    for dataset, place in found():
        if as_json:
            details = ("homepage", "licence", "forbids", "citation", "expects", "label")
            row = {"name": dataset.name, "title": dataset.title, "found": place and str(place)}
            row |= {name: getattr(dataset, name) for name in details}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            # The path comes last because it can be long.
            click.echo(f"{dataset.name:<16}{dataset.title:<44}{place or 'not found; expects'}")
            for expected in () if place else dataset.expects:
                click.echo(f"{'':<16}  {expected}")
