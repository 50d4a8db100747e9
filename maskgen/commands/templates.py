"""`maskgen templates`: list, preview and check mask templates."""

import json
from pathlib import Path

import click

from maskgen.commands.shared.parameters import ANY_PATH, FILE


@click.group(name="templates", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List, preview and check mask templates."""
    if ctx.invoked_subcommand is not None:
        return
    from maskgen.masking.templates.library import list_templates

    for info in list_templates():
        if as_json:
            fields = ("name", "kind", "tone", "recolourable", "licence")
            click.echo(json.dumps({name: getattr(info, name) for name in fields}))
        else:
            note = "recolourable" if info.recolourable else ""
            click.echo(f"{info.name:<28}{info.kind:<12}{info.tone:<12}{note}".rstrip())


@command.command(name="preview")
@click.argument("out", metavar="OUT", type=FILE)
@click.argument("names", metavar="[WHAT]...", nargs=-1)
def preview(out: Path, names: tuple[str, ...]) -> None:
    """Draw templates into the image file OUT.

    WHAT is a name, a kind, a tone or a path, as for `maskgen synth --template`; without it, all templates
    are drawn.
    """
    from maskgen.files.atomic import write_atomic
    from maskgen.images.codec import encode
    from maskgen.masking.preview import draw_preview
    from maskgen.masking.templates.library import load_template, resolve_selection

    templates = [load_template(name) for name, _ in resolve_selection(names or ("all",))]
    kind = "png" if out.suffix.lower() == ".png" else "jpeg"
    write_atomic(out, encode(draw_preview(templates), None, kind, None if kind == "png" else 92).data)
    click.echo(f"wrote {out} with {len(templates)} templates", err=True)


@command.command(name="check")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=ANY_PATH)
@click.pass_context
def check(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """Check your own templates: each a JSON file with a material, or a PNG with alpha and its JSON file.

    Prints the problems of each template, and exits with code 2 if there are any.
    """
    from maskgen.errors import EXIT_OK, EXIT_USAGE
    from maskgen.masking.templates.library import check_template

    code = EXIT_OK
    for path in paths:
        problems = check_template(path)
        for problem in problems:
            click.echo(f"maskgen: {problem}", err=True)
        if problems:
            code = EXIT_USAGE
        else:
            click.echo(f"{path}: sound")
    ctx.exit(code)
