"""`maskgen doctor`: check the installation, and print how to fix what is wrong."""

import json

import click

from maskgen.commands.shared.parameters import verbose_option
from maskgen.errors import EXIT_OK, EXIT_TOO_MANY_ERRORS


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each check.")
@verbose_option
def command(as_json: bool) -> int:
    """Check that maskgen can run on this machine.

    Checks package versions, OpenCV, the face models, templates, cores, memory and disk space, and masks the
    sample image. Each problem comes with its fix. Exit codes: 0 no problems, 1 at least one problem.
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
