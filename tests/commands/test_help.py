"""The help of every command and option, and the defaults that it tells."""

import re

import click
import pytest
from click.testing import CliRunner

from maskgen.cli import COMMANDS, SECTIONS, cli
from maskgen.commands.shared.help_sections import SectionedCommand
from maskgen.options import SynthOptions


def commands():
    """(full name, command) of every command and subcommand."""
    named = [(name, cli.get_command(click.Context(cli), name)) for name in COMMANDS]
    groups = [(name, command) for name, command in named if isinstance(command, click.Group)]
    return named + [
        (f"{name} {sub}", group.commands[sub]) for name, group in groups for sub in group.commands
    ]


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_and_option_has_help(name, command):
    assert command.help and command.help.strip()
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts[0]} has no help"


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_a_default_is_told_once(name, command):
    context = click.Context(command, show_default=True)
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.get_help_record(context)[1].count("[default") <= 1, f"{name} {option.opts[0]}"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_says(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.help.strip().splitlines()[0] == COMMANDS[name]
    assert command.name == name


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_help_runs(name):
    result = CliRunner().invoke(cli, [*name.split(), "--help"], prog_name="maskgen")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: maskgen {name}")


def test_every_option_that_decides_bytes_can_be_given_on_the_command_line():
    synth = cli.get_command(click.Context(cli), "synth")
    several = {"templates", "colors", "patterns", "wears", "splits"}
    fields = {name[:-1] if name in several else name for name in SynthOptions.__dataclass_fields__}
    assert fields <= {option.name for option in synth.params}


def test_defaults_of_the_command_line_are_those_of_the_options():
    synth = cli.get_command(click.Context(cli), "synth")
    given = {o.name: o.get_default(click.Context(synth)) for o in synth.params}
    default = SynthOptions(dataset="x")
    for name in (
        "blend",
        "fit",
        "harmonise",
        "faces",
        "variants",
        "min_face",
        "layout",
        "format",
        "seed",
    ):
        assert given[name] == getattr(default, name), name


SECTIONED = [name for name, command in commands() if isinstance(command, SectionedCommand)]


def shown(name, flag):
    result = CliRunner().invoke(cli, [*name.split(), flag], prog_name="maskgen", terminal_width=110)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("name", SECTIONED)
def test_what_is_common_comes_first_in_at_most_40_lines(name):
    common, _, advanced = shown(name, "--help").partition("\nAdvanced:\n")
    assert len(common.splitlines()) <= 40 and "--help-all" in advanced
    assert max(map(len, common.splitlines())) <= 110


@pytest.mark.parametrize("name", SECTIONED)
def test_help_all_has_every_option_with_its_whole_text(name):
    text = " ".join(shown(name, "--help-all").split())
    command = dict(commands())[name]
    for option in command.params:
        if isinstance(option, click.Option):
            assert all(flag in text for flag in option.opts)
            assert "".join(option.help.split()) in text.replace(" ", ""), option.opts


@pytest.mark.parametrize("name", SECTIONED)
def test_the_number_of_further_options_is_right(name):
    command = dict(commands())[name]
    common = sum(len(lines) for lines in command.sections.values())
    further = int(re.search(r"show (\d+) more options", shown(name, "--help"))[1])
    options = [
        option for option in command.get_params(click.Context(command)) if isinstance(option, click.Option)
    ]
    assert common + further == len(options) - 1


def test_every_command_with_more_than_40_lines_of_help_has_sections():
    for name, command in commands():
        if not isinstance(command, click.Group):
            assert len(shown(name, "--help").splitlines()) <= 44, name


def test_the_commands_are_listed_by_what_one_wants_to_do():
    text = CliRunner().invoke(cli, ["--help"], terminal_width=110).output
    for heading, commands_there in SECTIONS.items():
        assert f"\n{heading}:\n" in text
        assert all(f"  {name}  " in text for name in commands_there)
