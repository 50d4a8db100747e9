"""Parameter types of the command line, and how a config file and verbosity are taken up."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from maskgen.commands.shared.config_file import read_config
from maskgen.files.remote import is_url, location
from maskgen.files.safe_paths import following_links
from maskgen.records import split_of

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _expanded(value: Any) -> Any:
    """A text with the home folder for the ``~`` of ``--root=~/faces``, which shells leave there."""
    is_named_so = isinstance(value, str) and value.startswith("~") and not os.path.lexists(value)
    return os.path.expanduser(value) if is_named_so else value  # noqa: PTH111


class PathOrURL(click.Path):
    """A path that may be a URL of fsspec, such as ``s3://bucket/faces``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a URL as `maskgen.files.remote.location`, all else as a path."""
        path = location(value) if isinstance(value, str) and is_url(value) else _expanded(value)
        return super().convert(path, param, ctx) if isinstance(path, (str, Path)) else path


class LocalFile(click.Path):
    """A path to a file that many processes open, and so no URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a URL, of which a path would make something that nobody has typed."""
        if isinstance(value, str) and is_url(value):
            self.fail(f"expected a local file, got the URL {value}: copy it here first", param, ctx)
        return super().convert(_expanded(value), param, ctx)


class OpenedFile(click.File):
    """A file that click opens, or ``-``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Open it."""
        return super().convert(_expanded(value), param, ctx)


FOLDER = PathOrURL(path_type=Path, file_okay=False)
FILE = LocalFile(path_type=Path, dir_okay=False)
ANY_PATH = PathOrURL(path_type=Path)
ANY_FILE = PathOrURL(path_type=Path, dir_okay=False, allow_dash=True)


class Share(click.ParamType[tuple[int, int]]):
    """``I/N``: the I-th of N shares, counted from 1."""

    name = "I/N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Read "2/3" as (2, 3)."""
        if isinstance(value, tuple):
            return value
        try:
            share, shares = (int(part) for part in str(value).split("/"))
        except ValueError:
            self.fail(f"expected I/N, such as 1/8, got {value!r}", param, ctx)
        if not 1 <= share <= shares:
            self.fail(f"I must lie between 1 and N, got {value!r}", param, ctx)
        return share, shares


class DatasetName(click.Choice[str]):
    """A dataset's name in any case, with "_" for "-"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read "CelebA" as "celeba"."""
        return super().convert(str(value).lower().replace("_", "-"), param, ctx)


class SplitName(click.Choice[str]):
    """A split by any of its words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read "Val" or "dev" as "validation"."""
        return super().convert(split_of(str(value)) or value, param, ctx)


def _load_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    if value is not None:
        known = {
            flag.lstrip("-"): (option.name or "", option.multiple)
            for option in ctx.command.params
            if isinstance(option, click.Option)
            for flag in option.opts
            if flag.startswith("--")
        }
        ctx.default_map = {**(ctx.default_map or {}), **read_config(value, known)}


def config_option(function: Decorated) -> Decorated:
    """Add ``--config``."""
    return click.option(
        "--config",
        type=FILE,
        is_eager=True,
        expose_value=False,
        callback=_load_config,
        help="TOML or JSON file of these options; the command line and the environment go before it.",
    )(function)


def _set_level(ctx: click.Context, param: click.Parameter, value: int) -> None:
    if value:
        logging.getLogger("maskgen").setLevel(logging.INFO if value == 1 else logging.DEBUG)


def verbose_option(function: Decorated) -> Decorated:
    """Add ``-v``."""
    return click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_set_level,
        help="Say more on stderr; twice for tracebacks.",
    )(function)


def _follow_links(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.with_resource(following_links())


def links_option(function: Decorated) -> Decorated:
    """Add ``--follow-links``, which holds while the command runs."""
    return click.option(
        "--follow-links",
        is_flag=True,
        expose_value=False,
        callback=_follow_links,
        help="Read files and folders by links that lead out of their dataset, as huggingface_hub, DVC and "
        "git-annex make them.",
    )(function)


def stacked(*options: Callable[[Any], Any]) -> Callable[[Decorated], Decorated]:
    """Join option decorators into one that adds them in the order given."""

    def decorate(function: Decorated) -> Decorated:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
