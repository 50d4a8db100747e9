"""`maskgen verify`: check a result against its own manifest."""

import json
from pathlib import Path

import click

from maskgen.commands.shared import parameters
from maskgen.commands.shared.parameters import ANY_PATH, FILE
from maskgen.errors import EXIT_OK, EXIT_TOO_MANY_ERRORS, UsageError


@click.command(name="verify")
@click.argument("out", metavar="OUT", type=parameters.FOLDER)
@click.option(
    "--landmarks", type=FILE, help="Landmark file that OUT was made with, to measure coverage exactly."
)
@click.option("--sources", is_flag=True, help="Also check the sha256 of every source.")
@click.option(
    "--root", type=ANY_PATH, help="Where the sources are, for --sources.  [default: where the run read them]"
)
@click.option(
    "--labels",
    is_flag=True,
    help="Also look for the faces in every image, and name the rows that it contradicts (slow).",
)
@parameters.jobs_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON lines: one for each difference, then the counts."
)
@click.option("-q", "--quiet", is_flag=True, help="Print only errors; the exit code is the result.")
@parameters.links_option
@parameters.verbose_option
def command(
    out: Path,
    landmarks: Path | None,
    sources: bool,
    root: Path | None,
    labels: bool,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check a result against its manifest and run record.

    Recomputes every hash, count and coverage, and lists missing, changed and extra files. Coverage is checked
    only if OUT has alphas (`maskgen synth --alpha`). Exit codes: 0 no differences, 1 differences, 2 OUT is
    not a finished result.
    """
    from maskgen.run.job import root_of
    from maskgen.verify.result import Verifier

    root = (root or root_of(out)) if sources else None
    if sources and root is None:
        raise UsageError(f"{out} does not say where its sources are; give --root")
    verifier = Verifier(out, landmarks, root, labels)
    for finding in verifier.run(jobs, progress=not quiet):
        if as_json:
            click.echo(json.dumps(vars(finding), ensure_ascii=False))
        elif not quiet:
            # Escape control characters, to keep each text in one cell of one line.
            texts = (finding.kind, finding.file, finding.what)
            cells = ("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text) for text in texts)
            click.echo("\t".join(cells))
    result = verifier.result
    if as_json:
        click.echo(json.dumps(result.as_dict()))
    if not quiet:
        differences = ", ".join(f"{count:,} {kind}" for kind, count in sorted(result.kinds.items()))
        checked = f"{result.rows:,} rows, {result.files:,} files, {result.alphas:,} alphas"
        click.echo(f"{out}: {checked}: {differences or 'no differences'}", err=True)
    return EXIT_OK if result.ok else EXIT_TOO_MANY_ERRORS
