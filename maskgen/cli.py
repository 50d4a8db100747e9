"""The `maskgen` command group.

A command's module is imported only when the command is used: ``maskgen --help`` imports neither numpy nor
cv2. For the same reason, the one-line help texts are repeated here; a test compares them with the commands.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

import click

from maskgen import __version__

# Command -> (module under maskgen.commands, one line of help).
COMMANDS: dict[str, tuple[str, str]] = {
    "synth": ("synth", "Create a masked copy of a face dataset."),
    "apply": ("apply", "Mask one image."),
    "datasets": ("datasets", "List the supported datasets and where they are."),
    "templates": ("templates", "List, preview and check mask templates."),
    "landmarks": ("landmarks", "Write a dataset's face landmarks to a file."),
    "merge": ("merge", "Combine the shares of a job array."),
    "verify": ("verify", "Check a result against its manifest and run record."),
    "annotations": ("annotations", "Export face and mask boxes as COCO, YOLO or Pascal VOC."),
    "table": ("table", "Export a result's manifest as a CSV or Parquet table."),
    "doctor": ("doctor", "Check that maskgen can run on this machine."),
    "report": ("report", "Regenerate a result's dataset card and contact sheet."),
    "split": ("split", "Show how data are split, and find leaks."),
    "train": ("train", "Train a classifier on masked faces."),
    "evaluate": ("evaluate", "Compare models on one or more datasets."),
    "predict": ("predict", "Classify the faces in images or a video."),
    "export": ("export", "Convert a model to SavedModel, TFLite or ONNX."),
    "demo": ("demo", "Serve a web page that masks and classifies images."),
    "bench": ("bench", "Measure a model's size and speed."),
}


class ReaderGoneError(Exception):
    """The reader of stdout is gone; click itself would exit with code 1 for a `BrokenPipeError`."""


class LazyGroup(click.Group):
    """A command group that imports a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Command names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"maskgen.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and turn a broken pipe into `ReaderGoneError`."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line help from `COMMANDS`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    no_args_is_help=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "MASKGEN",
        "max_content_width": 110,
        "show_default": True,
    },
    epilog="Results are printed on stdout, messages on stderr. Each option of a command can also be set in "
    "the environment (MASKGEN_SYNTH_BLEND=poisson), and options of synth, apply, landmarks and train in a "
    "file (--config). Exit codes: 0 success, 1 too many errors, 2 wrong usage or missing data, 130 "
    "interrupted.",
)
@click.version_option(__version__, prog_name="maskgen")
def cli() -> None:
    """Turn public face datasets into masked-face datasets.

    \b
    maskgen synth --dataset sample --blend poisson
    maskgen synth --dataset celeba --blend poisson -j 8
    """  # noqa: D301
    logging.basicConfig(format="maskgen: %(message)s", level=logging.WARNING)
