"""The `maskgen` command group.

A command's module is imported when that command is asked for and not before, so that ``maskgen --help``
imports neither numpy nor cv2. The one-line helps stand here for the same reason; a test holds them against
the commands' own.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

import click

from maskgen import __version__

# Command -> (module under maskgen.commands, one line of help).
COMMANDS: dict[str, tuple[str, str]] = {
    "synth": ("synth", "Mask a face dataset."),
    "apply": ("apply", "Mask one image."),
    "datasets": ("datasets", "List the datasets maskgen reads, and which are found."),
    "templates": ("templates", "List, preview and check mask templates."),
    "landmarks": ("landmarks", "Write a dataset's face landmarks to a file."),
    "merge": ("merge", "Join the shares of a job array."),
    "verify": ("verify", "Hold a result against its manifest and run record."),
    "annotations": ("annotations", "Write a result's face and mask boxes for detectors."),
    "table": ("table", "Write a result's manifest as a CSV or Parquet table."),
    "doctor": ("doctor", "Say whether maskgen can work here."),
    "report": ("report", "Redraw a result's dataset card and contact sheet."),
    "split": ("split", "Show how data are divided, and find leaks."),
    "train": ("train", "Train a classifier on masked faces."),
    "evaluate": ("evaluate", "Compare models on sets of images."),
    "predict": ("predict", "Say the class of faces in images or a video."),
    "export": ("export", "Write a model as SavedModel, TFLite or ONNX."),
    "demo": ("demo", "Serve a page that masks an image and judges it."),
    "bench": ("bench", "Measure a model's size and speed."),
}


class ReaderGoneError(Exception):
    """Whoever read stdout went away. click would take a `BrokenPipeError` for a failure, and exit 1."""


class LazyGroup(click.Group):
    """A group that imports a command when it is named, and lists all of them without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"maskgen.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from `COMMANDS`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    no_args_is_help=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "MASKGEN",
        "max_content_width": 110,
    },
    epilog="Results go to stdout and only there, messages to stderr. Any option of a command can be set in "
    "the environment (MASKGEN_SYNTH_BLEND=poisson) or in a file (--config). Exit codes: 0 done, 1 too many "
    "errors, 2 wrong usage or missing data, 130 interrupted.",
)
@click.version_option(__version__, prog_name="maskgen")
def cli() -> None:
    """Turn public face datasets into masked-face datasets.

    \b
    maskgen synth --dataset sample --blend poisson
    maskgen synth --dataset celeba --blend poisson -j 8
    """  # noqa: D301
    logging.basicConfig(format="maskgen: %(message)s", level=logging.WARNING)
