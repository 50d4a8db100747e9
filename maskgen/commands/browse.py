"""`maskgen browse`: write a web page to look through a result."""

from pathlib import Path

import click

from maskgen.commands.shared.parameters import FOLDER, quiet_option


@click.command(name="browse")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, with --embed.  [default: DIR/browse.html]",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=10_000,
    help="Most rows on the page; of a longer manifest they are evenly spaced.",
)
@click.option(
    "--embed",
    is_flag=True,
    help="Put small copies of the images into the page, so that it can be moved or sent. Images in tars are "
    "always embedded.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in the web browser.")
@quiet_option
def command(folder: Path, output: Path | None, limit: int, embed: bool, show: bool, quiet: bool) -> None:
    """Write a web page to look through a result.

    DIR is an output folder of `maskgen synth`. The page shows its images with their rows, and filters by
    status, template, kind, wear, split and label. It is one file and needs no server.

    \b
    maskgen browse masked/celeba --open
    maskgen browse masked/celeba --embed --limit 500 -o celeba.html
    """  # noqa: D301
    from maskgen.results.browse.page import write_page

    if output is not None and not embed:
        raise click.UsageError("--output needs --embed: elsewhere the page would not find the images")
    page = write_page(folder, output, limit=limit, embed=embed)
    if not quiet:
        click.echo(f"wrote {page}", err=True)
    if show:
        import webbrowser

        webbrowser.open(page.absolute().as_uri())
