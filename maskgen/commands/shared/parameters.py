"""Parameter types, and the options that most commands have."""

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.files.json_text import from_json
from maskgen.files.remote import is_url, location
from maskgen.files.safe_paths import following_links
from maskgen.files.text_files import read_text_file
from maskgen.limits import MAX_CONFIG_BYTES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_STRING = re.compile(r'"[^"]*"|\'[^\']*\'')
_MOST_DOTS = 100
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def stacked(*options: Callable[[Any], Any]) -> Callable[[Decorated], Decorated]:
    """Combine option decorators into one that adds them in the given order."""
    return lambda function: reduce(lambda decorated, option: option(decorated), reversed(options), function)


def option_table(
    texts: Mapping[str, str],
    defaults: Mapping[str, Any] | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
    **settings: Mapping[str, Any],
) -> Callable[[Decorated], Decorated]:
    """Add the options of a table: flags, and perhaps the parameter's name -> help text.

    A parameter has the default and the allowed values of its name. One that has neither these nor
    ``settings``, other arguments of `click.option`, is a flag.
    """
    options = []
    for flags, text in texts.items():
        name = flags.split()[-1].partition("/")[0].lstrip("-").replace("-", "_")
        values: dict[str, Any] = {"default": (defaults or {}).get(name, None if name in settings else False)}
        if choices and name in choices:
            values["type"] = click.Choice(choices[name])
        values |= settings.get(name, {})
        options.append(
            click.option(*flags.split(), help=text, is_flag=isinstance(values["default"], bool), **values)
        )
    return stacked(*options)


class PathOrURL(click.Path):
    """A path or an fsspec URL, such as ``s3://bucket/faces``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a URL, or expand ``~`` in a path: shells leave it alone in ``--root=~/faces``."""
        if isinstance(value, str) and is_url(value):
            value = location(value)
        elif isinstance(value, str) and value.startswith("~") and not os.path.lexists(value):
            value = os.path.expanduser(value)  # noqa: PTH111
        return super().convert(value, param, ctx) if isinstance(value, (str, Path)) else value


class LocalFile(PathOrURL):
    """A local path: worker processes open the file themselves, so a URL is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a URL, which `pathlib.Path` would change silently."""
        if isinstance(value, str) and is_url(value):
            self.fail(f"expected a local file, got the URL {value}: copy it here first", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = PathOrURL(path_type=Path, file_okay=False)
FILE = LocalFile(path_type=Path, dir_okay=False)
EXISTING_PATH = LocalFile(path_type=Path)
ANY_PATH = PathOrURL(path_type=Path)
ANY_FILE = PathOrURL(path_type=Path, dir_okay=False, allow_dash=True)
COUNT = click.IntRange(min=0)


def read_input(path: Path) -> bytes:
    """The bytes of an `ANY_FILE`: a file, a URL, or ``-`` for stdin."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingDataError(f"{path}: {error.strerror or 'cannot be read'}") from error


def share(text: Any) -> tuple[int, int]:
    """Read ``I/N``, the I-th of N shares: "2/3" as (2, 3)."""
    try:
        part, parts = map(int, str(text).split("/"))
    except ValueError:
        raise click.BadParameter(f"expected I/N, such as 1/8, got {text!r}") from None
    if not 1 <= part <= parts:
        raise click.BadParameter(f"I must be between 1 and N, got {text!r}")
    return part, parts


def read_config(path: Path, options: Mapping[str, tuple[str, bool]]) -> dict[str, Any]:
    """Read a ``.toml`` or ``.json`` file as parameter name -> value, for `click.Context.default_map`.

    Its keys are option names without the leading dashes, such as ``blend = "poisson"`` or ``min-face = 20``;
    ``options`` maps them to (parameter name, whether it is repeatable). A repeatable option takes a list.
    """
    allowed = [option for option in options if option not in ("config", "help")]
    values: dict[str, Any] = {}
    for key, value in _parse(path).items():
        option = str(key).replace("_", "-")
        if option not in allowed:
            matches = get_close_matches(option, allowed, n=1)
            hint = f"; did you mean {matches[0]!r}?" if matches else ""
            raise ConfigurationError(f"{path}: no option is called {key!r}{hint}")
        name, repeatable = options[option]
        if repeatable:
            texts = value if isinstance(value, list) else [value]
            for text in texts:
                if isinstance(text, bool) or not isinstance(text, (str, int, float)):
                    raise ConfigurationError(f"{path}: {key} takes a list of texts, got {text!r} in it")
            values[name] = list(map(str, texts))
        elif isinstance(value, (str, int, float, bool)):
            values[name] = value
        else:
            raise ConfigurationError(f"{path}: {key} takes one value, got {value!r}")
    return values


def _parse(path: Path) -> dict[str, Any]:
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        remedy = f'write it as {path.stem}.toml, such as blend = "poisson"'
        raise ConfigurationError(f"{path}: config files are TOML or JSON, not YAML; {remedy}")
    try:
        text = read_text_file(path, MAX_CONFIG_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: the config file cannot be read: {error}") from error
    try:
        values = from_json(text) if suffix == ".json" else _from_toml(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not valid {suffix.lstrip('.') or 'TOML'}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: expected names and values, got a {type(values).__name__}")
    return values


def _from_toml(text: str) -> dict[str, Any]:
    # tomllib's time is quadratic in the number of dots of a key, and no option name has a dot.
    for number, line in enumerate(text.splitlines(), 1):
        if _STRING.sub("", line).count(".") > _MOST_DOTS:
            raise ValueError(f"line {number} has more than {_MOST_DOTS} dots outside of texts")
    return tomllib.loads(text)


def _load_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    if value is not None:
        options = {
            flag.lstrip("-"): (option.name or "", option.multiple)
            for option in ctx.command.params
            if isinstance(option, click.Option)
            for flag in option.opts
            if flag.startswith("--")
        }
        ctx.default_map = {**(ctx.default_map or {}), **read_config(value, options)}


config_option = click.option(
    "--config",
    type=FILE,
    is_eager=True,
    expose_value=False,
    callback=_load_config,
    help="Read options from this TOML or JSON file. The command line and the environment override it.",
)


def _set_level(ctx: click.Context, param: click.Parameter, value: int) -> None:
    if value:
        logging.getLogger("maskgen").setLevel(logging.INFO if value == 1 else logging.DEBUG)


verbose_option = click.option(
    "-v",
    "--verbose",
    count=True,
    show_default=False,
    expose_value=False,
    callback=_set_level,
    help="Print more messages on stderr; -vv adds tracebacks.",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
message_options = stacked(quiet_option, verbose_option)
counts_option = click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON on stdout.")
jobs_option = click.option("-j", "--jobs", default=1, help="Number of processes; -1 uses all cores.")


def _follow_links(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.with_resource(following_links())


links_option = click.option(
    "--follow-links",
    is_flag=True,
    expose_value=False,
    callback=_follow_links,
    help="Follow symbolic links that lead out of the dataset, such as those of huggingface_hub, DVC and "
    "git-annex.",
)
