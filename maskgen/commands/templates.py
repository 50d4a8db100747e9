"""`maskgen templates`: what masks there are, what they look like, and whether one's own is sound."""

from __future__ import annotations

import json
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, FILE


@click.group(name="templates", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List, preview and check mask templates."""
    if ctx.invoked_subcommand is not None:
        return
    from maskgen.masking.templates.library import list_templates

    for info in list_templates():
        dyes = info.recolourable
        line = f"{info.name:<28}{info.kind:<12}{info.tone:<12}{'recolourable' if dyes else ''}"
        if as_json:
            row = {"name": info.name, "kind": info.kind, "tone": info.tone, "recolourable": dyes}
            click.echo(json.dumps({**row, "licence": info.licence}))
        else:
            click.echo(line.rstrip())


@command.command(name="preview")
@click.argument("out", metavar="OUT", type=FILE)
@click.argument("names", metavar="[WHAT]...", nargs=-1)
def preview(out: Path, names: tuple[str, ...]) -> None:
    """Draw templates into the image OUT, all of them or those named.

    WHAT is a name, a kind, a tone or a path, as for `maskgen synth --template`.
    """
    from maskgen.files.atomic import write_atomic
    from maskgen.images.codec import encode
    from maskgen.masking.templates.library import load_template, resolve_selection
    from maskgen.masking.templates.preview import draw_preview

    chosen = [load_template(name) for name, _ in resolve_selection(names or ("all",))]
    kind = "png" if out.suffix.lower() == ".png" else "jpeg"
    write_atomic(out, encode(draw_preview(chosen), None, kind, None if kind == "png" else 92).data)
    click.echo(f"wrote {out} with {len(chosen)} templates", err=True)


@command.command(name="check")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=ANY_PATH)
@click.pass_context
def check(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """Check templates of your own: a PNG with alpha, and a JSON of the same name beside it.

    Says what is wrong with each, and exits 2 if any is not sound.
    """
    from maskgen.errors import EXIT_USAGE
    from maskgen.masking.templates.library import check_template

    sound = True
    for path in paths:
        problems = check_template(path)
        sound = sound and not problems
        for problem in problems:
            click.echo(f"maskgen: {path}: {problem}", err=True)
        if not problems:
            click.echo(f"{path}: sound")
    if not sound:
        ctx.exit(EXIT_USAGE)
