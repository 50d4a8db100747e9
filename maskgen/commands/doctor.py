"""`maskgen doctor`: whether maskgen can work here, and what to do where it cannot."""

from __future__ import annotations

import json

import click

from maskgen.commands.shared.parameters import verbose_option
from maskgen.errors import EXIT_OK, EXIT_TOO_MANY_ERRORS


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each check.")
@verbose_option
def command(as_json: bool) -> int:
    """Say whether maskgen can work here.

    Looks at versions, the OpenCV wheels, the face models, templates, cores, memory and disk, and masks the
    sample. Exit codes: 0 all is well, 1 something is wrong; each such line says what to do.
    """
    from maskgen.doctor import examine

    healthy = True
    for result in examine():
        healthy = healthy and result.ok
        if as_json:
            click.echo(json.dumps(vars(result), ensure_ascii=False))
            continue
        click.echo(f"{'ok' if result.ok else 'WRONG':<7}{result.check:<11}{result.found}")
        if result.advice:
            click.echo(f"{'':<18}to do: {result.advice}")
    return EXIT_OK if healthy else EXIT_TOO_MANY_ERRORS
