"""The `maskgen` command group.

A command's module is imported only when the command is used: ``maskgen --help`` imports neither numpy nor
cv2. For the same reason, the one-line help texts are repeated here; a test compares them with the commands.
"""

import importlib
import logging
from typing import Any

import click

from maskgen import __version__
from maskgen.errors import EXIT_BROKEN_PIPE

# What one wants to do -> command, and its module under maskgen.commands -> one line of help.
SECTIONS = {
    "Mask faces": {
        "synth": "Create a masked copy of a face dataset.",
        "apply": "Mask one image.",
        "landmarks": "Write a dataset's face landmarks to a file.",
        "merge": "Combine the shares of a job array.",
    },
    "Look for datasets, templates and models": {
        "datasets": "List the supported datasets and where they are.",
        "templates": "List, preview and check mask templates.",
        "models": "Fetch and check the landmark models.",
        "doctor": "Check that maskgen can run on this machine.",
    },
    "Look at a result, check and export it": {
        "browse": "Write a web page to look through a result.",
        "verify": "Check a result against its manifest and run record.",
        "annotations": "Export face and mask boxes as COCO, YOLO or Pascal VOC.",
        "table": "Export a result's manifest as a CSV or Parquet table.",
        "report": "Regenerate a result's dataset card and contact sheet.",
    },
    "Train and judge a classifier": {
        "split": "Show how data are split, and find leaks.",
        "train": "Train a classifier on masked faces.",
        "evaluate": "Compare models on one or more datasets.",
        "predict": "Classify the faces in images or a video.",
        "export": "Convert a model to SavedModel, TFLite or ONNX.",
        "demo": "Serve a web page that masks and classifies images.",
        "bench": "Measure a model's size and speed.",
    },
}
COMMANDS = {name: line for commands in SECTIONS.values() for name, line in commands.items()}


class LazyGroup(click.Group):
    """A command group that imports a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Command names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"maskgen.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and exit by a broken pipe; click itself would exit with code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise click.exceptions.Exit(EXIT_BROKEN_PIPE) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line help from `SECTIONS`."""
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl(list(commands.items()))


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
