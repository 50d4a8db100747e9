"""A template's ``"material"``: what its masks are made of, as distributions; and one mask's draw from them.

::

    {"color": "surgical_blue", "weave": "nonwoven", "sheen": [0.05, 0.15], "binding": "white"}
    {"color": {"black": 3, "navy": 1}, "weave": "cotton", "mark": {"none": 2, "logo": 1}}
    {"print": {"floral_small": 2, "plaid": 1}, "weave": "cotton", "color": "white", "binding": "white"}

A name stands for itself; an object gives names with weights, one of which is drawn for each mask.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard

from maskgen.errors import TemplateError
from maskgen.masking.hash_random import draw_bits, draw_unit, draw_weighted
from maskgen.masking.materials.colors import COLORS, draw_color
from maskgen.masking.materials.marks import MARKS
from maskgen.masking.materials.palette import Palette, draw_palette
from maskgen.masking.materials.prints import MOTIFS
from maskgen.masking.materials.weave import WEAVES

Color = tuple[int, int, int]  # BGR
Choices = tuple[tuple[str, float], ...]  # (name, weight)
Range = tuple[float, float]

NONE = "none"
# As a colour of the binding, the loops or the valve: the cloth's own.
SAME = "same"


@dataclass(frozen=True)
class Material:
    """What a template's masks are made of, by names of `COLORS`, `MOTIFS`, `MARKS` and `WEAVES`."""

    color: Choices
    weave: Choices
    print: Choices = ((NONE, 1.0),)
    mark: Choices = ((NONE, 1.0),)
    sheen: Range = (0.0, 0.0)  # share of the light that is mirrored, 0 to 1
    binding: Choices = ((SAME, 1.0),)  # the tape around the edge
    loops: Choices = ((SAME, 1.0),)  # and straps
    valve: Choices = ((NONE, 1.0),)


@dataclass(frozen=True)
class Fabric:
    """The material of one mask."""

    color: Color  # a printed cloth's is its ground
    weave: str
    print: str | None
    palette: Palette | None  # the print's
    mark: str | None
    sheen: float
    binding: Color
    loops: Color
    valve: Color | None
    seed: int  # for `draw_print`, `draw_mark` and `weave`


# Field -> the names it may have besides ``#rrggbb`` where it is a colour.
_NAMES: dict[str, tuple[str, ...]] = {
    "color": tuple(COLORS),
    "weave": tuple(WEAVES),
    "print": (NONE, *MOTIFS),
    "mark": (NONE, *MARKS),
    "binding": (SAME, *COLORS),
    "loops": (SAME, *COLORS),
    "valve": (NONE, SAME, *COLORS),
}
_COLOR_FIELDS = ("color", "binding", "loops", "valve")
_RANGES = ("sheen",)
_REQUIRED = ("color", "weave")


def parse_material(spec: object, where: str) -> Material:
    """Check the JSON object of a material.

    Args:
        spec: The decoded value.
        where: What messages begin with: the path of the description.

    Raises:
        TemplateError: A field is missing, unknown or has a value it can't have.
    """
    if not isinstance(spec, dict):
        raise TemplateError(f"{where}: material must be an object, got {spec!r}")
    for name in spec:
        if name not in (*_NAMES, *_RANGES):
            hint = _hint(str(name), (*_NAMES, *_RANGES))
            raise TemplateError(f"{where}: a material has no field {name!r}; {hint}")
    if missing := [name for name in _REQUIRED if name not in spec]:
        raise TemplateError(f"{where}: material lacks {' and '.join(missing)}")
    fields: dict[str, Any] = {}
    for name, value in spec.items():
        read = _parse_range if name in _RANGES else _parse_choices
        fields[name] = read(value, name, where)
    return Material(**fields)


def _parse_choices(value: object, field: str, where: str) -> Choices:
    """A name, null for none, or an object of names and weights."""
    if value is None and NONE in _NAMES[field]:
        value = NONE
    weights: list[tuple[object, object]] = list(value.items()) if isinstance(value, dict) else [(value, 1.0)]
    choices = []
    for name, weight in weights:
        if not isinstance(name, str) or not _is_name(name, field):
            colors = "#rrggbb, " if field in _COLOR_FIELDS else ""
            hint = _hint(str(name), _NAMES[field])
            raise TemplateError(f"{where}: material.{field} can't be {name!r}; {colors}{hint}")
        if not _is_number(weight) or not 0 <= weight < 1e9:
            text = f"the weight of material.{field}.{name} must be 0 or more"
            raise TemplateError(f"{where}: {text}, got {weight!r}")
        choices.append((name, float(weight)))
    if not sum(weight for _, weight in choices) > 0:
        raise TemplateError(f"{where}: material.{field} needs a name with a weight above 0")
    return tuple(choices)


def _is_name(name: str, field: str) -> bool:
    return name in _NAMES[field] or (
        field in _COLOR_FIELDS and re.fullmatch("#[0-9a-fA-F]{6}", name) is not None
    )


def _parse_range(value: object, field: str, where: str) -> Range:
    """A number from 0 to 1, or two of them, the lower first."""
    ends: list[Any] = value if isinstance(value, list) else [value, value]
    if len(ends) != 2 or not all(_is_number(end) and 0 <= end <= 1 for end in ends) or ends[0] > ends[1]:
        text = f"material.{field} must be a number from 0 to 1 or [low, high]"
        raise TemplateError(f"{where}: {text}, got {value!r}")
    return float(ends[0]), float(ends[1])


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hint(word: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(names), 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def draw_fabric(material: Material, seed: int) -> Fabric:
    """Draw one mask's material: the same for the same seed, whatever the resolution."""

    def pick(field: str) -> str:
        choices: Choices = getattr(material, field)
        return choices[0][0] if len(choices) == 1 else draw_weighted(choices, seed, "material", field)

    def between(field: str) -> float:
        low, high = getattr(material, field)
        return float(low + (high - low) * draw_unit(seed, "material", field))

    print_, mark = pick("print"), pick("mark")
    palette = draw_palette(MOTIFS[print_].palettes, seed) if print_ != NONE else None
    color = palette.ground if palette else draw_color(pick("color"), seed)

    def part(field: str) -> Color:
        name = pick(field)
        return color if name == SAME else draw_color(name, draw_bits(seed, field))

    return Fabric(
        color=color,
        weave=pick("weave"),
        print=print_ if palette else None,
        palette=palette,
        mark=mark if mark != NONE else None,
        sheen=between("sheen"),
        binding=part("binding"),
        loops=part("loops"),
        valve=None if pick("valve") == NONE else part("valve"),
        seed=seed,
    )
