"""Help of commands with many options: the common ones, a line each, in sections; all with ``--help-all``."""

from collections.abc import Mapping
from typing import Any

import click

ALL = "maskgen.help_all"
ADVANCED = "Advanced"


class SectionedCommand(click.Command):
    """A command whose ``--help`` has sections.

    Args:
        sections: Heading -> flag -> its line in ``--help``. Options in no section are shown by
            ``--help-all`` alone, which has the whole text of each.
        values: The arguments of `click.Command`.
    """

    def __init__(self, *values: Any, sections: Mapping[str, Mapping[str, str]], **more: Any) -> None:
        super().__init__(*values, **more)
        self.sections = sections
        help_all = click.Option(
            ["--help-all"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_all,
            help="Show all options, with their whole texts.",
        )
        self.params.append(help_all)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, and the other options or the way to them."""
        options = {_flag(each): each for each in self.get_params(ctx) if isinstance(each, click.Option)}
        in_section = {flag for lines in self.sections.values() for flag in lines}
        others = [flag for flag in options if flag not in in_section]
        if ctx.meta.get(ALL):
            for heading, flags in (*self.sections.items(), (ADVANCED, others)):
                with formatter.section(heading):
                    formatter.write_dl([options[flag].get_help_record(ctx) or ("", "") for flag in flags])
            return
        for heading, lines in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(_usage(options[flag]), line) for flag, line in lines.items()])
        with formatter.section(ADVANCED):
            # One of the others is --help-all itself.
            formatter.write_dl([("--help-all", f"show {len(others) - 1} more options, and explain them all")])


def _show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


def _flag(option: click.Option) -> str:
    return next((flag for flag in option.opts if flag.startswith("--")), option.opts[0])


def _usage(option: click.Option) -> str:
    flags = ", ".join(option.opts)
    if option.is_flag or option.count:
        return flags
    return f"{flags} {option.metavar or option.type.name.split()[0].upper()}"
