"""What the site makes of other files: the help of the commands, the changelog, the page for contributors."""

import re
from pathlib import Path
from typing import Any

import click

from maskgen.cli import COMMANDS, cli

REPOSITORY = Path(__file__).parents[1]
WIDTH = 100


def on_page_markdown(markdown: str, **context: Any) -> str:
    """Put the texts in where a page has a comment for them."""
    markdown = markdown.replace("<!-- help of every command -->", commands_help())
    return re.sub(
        r"<!-- include ([\w.]+) -->",
        lambda match: (REPOSITORY / match[1]).read_text(encoding="utf-8"),
        markdown,
    )


def commands_help() -> str:
    """A section for each command and subcommand."""
    root = click.Context(cli, info_name="maskgen")
    parts = []
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        parts += [_section(f"maskgen {name}", command, click.Context(command, root, name))]
        if isinstance(command, click.Group):
            above = click.Context(command, root, name)
            parts += [
                _section(f"maskgen {name} {sub}", each, click.Context(each, above, sub))
                for sub, each in command.commands.items()
            ]
    return "\n".join(parts)


def _section(title: str, command: click.Command, context: click.Context) -> str:
    from maskgen.commands.shared.help_sections import ALL

    context.meta[ALL] = True
    context.max_content_width = context.terminal_width = WIDTH
    context.show_default = True
    return f"## {title}\n\n```text\n{command.get_help(context)}\n```\n"
