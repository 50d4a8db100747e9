"""`maskgen merge`: combine the shares of a job array."""

from functools import partial
from pathlib import Path

import click

from maskgen.commands.shared import parameters
from maskgen.commands.shared.summary import print_summary


@click.command(name="merge")
@click.argument("out", metavar="OUT", type=parameters.FOLDER)
@parameters.counts_option
@parameters.links_option
@parameters.message_options
def command(out: Path, as_json: bool, quiet: bool) -> None:
    """Combine the shares of a job array.

    Run this after all `maskgen synth --shard I/N` jobs for OUT have ended. It writes the manifest, run
    record, dataset card and contact sheet. If a share is not done, it says which and exits with code 2.
    """
    from maskgen.results.card import write_report
    from maskgen.run.job import merge, root_of

    counts = merge(out, report=partial(write_report, root=root_of(out)))
    print_summary(counts, out, as_json, quiet)
