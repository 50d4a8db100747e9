"""``--config FILE``: read options from TOML or JSON; the environment and the command line override them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from maskgen.errors import ConfigurationError
from maskgen.files.json_text import from_json
from maskgen.files.text_files import read_text_file
from maskgen.limits import MAX_CONFIG_BYTES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_STRING = re.compile(r'"[^"]*"|\'[^\']*\'')
_MOST_DOTS = 100


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
