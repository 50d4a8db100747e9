"""`maskgen verify`: a result held against its own manifest."""

from __future__ import annotations

import json
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, FILE, FOLDER, links_option, verbose_option
from maskgen.errors import EXIT_OK, EXIT_TOO_MANY_ERRORS, UsageError


@click.command(name="verify")
@click.argument("out", metavar="OUT", type=FOLDER)
@click.option(
    "--landmarks",
    type=FILE,
    help="The landmark file that OUT was made with: coverage is then measured exactly.",
)
@click.option("--sources", is_flag=True, help="Compute the sha256 of every source again, too.")
@click.option("--root", type=ANY_PATH, help="Where the sources lie.  [default: where the run read them]")
@click.option("-j", "--jobs", type=int, default=1, show_default=True, help="Processes; -1 takes every core.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: each difference, and at last the counts.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors; the exit code tells.")
@links_option
@verbose_option
def command(
    out: Path,
    landmarks: Path | None,
    sources: bool,
    root: Path | None,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """Hold a result against its manifest and run record.

    Computes every hash, count and coverage again, and lists what is missing, changed or extra. Coverage needs
    the alphas (`maskgen synth --alpha`). Exit codes: 0 all is as it was written, 1 something differs, 2 OUT
    holds no finished result.
    """
    from maskgen.run.job import root_of
    from maskgen.verify.result import Verifier

    root = (root or root_of(out)) if sources else None
    if sources and root is None:
        raise UsageError(f"{out} does not say where its sources lie; give their --root")
    verifier = Verifier(out, landmarks, root)
    for finding in verifier.run(jobs):
        if as_json:
            click.echo(json.dumps(vars(finding), ensure_ascii=False))
        elif not quiet:
            click.echo("\t".join(map(_in_one_line, (finding.kind, finding.file, finding.what))))
    result = verifier.result
    if as_json:
        click.echo(json.dumps(result.as_dict()))
    if not quiet:
        told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(result.kinds.items()))
        looked = f"{result.rows:,} rows, {result.files:,} files, {result.alphas:,} alphas"
        click.echo(f"{out}: {looked}: {told or 'all as it was written'}", err=True)
    return EXIT_OK if result.ok else EXIT_TOO_MANY_ERRORS


def _in_one_line(text: str) -> str:
    """The text with a code for each control character, so that it stays one cell of one line."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
