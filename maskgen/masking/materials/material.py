"""A material as a template's JSON describes it: names of colours, prints, weaves and marks.

Each value is one name or a list of names, of which each mask draws one. ``same`` is the colour of the cloth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from maskgen.errors import UsageError
from maskgen.masking.hash_random import draw_unit

Names = tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """The material of a template; an empty tuple means none.

    Attributes:
        color: Names of `colors.COLORS` or ``#rrggbb``.
        print: Names of `prints.MOTIFS`; they replace the colour.
        weave: Names of `weave.WEAVES`.
        mark: Kinds of `marks.MARKS`, or ``any``; about half of the masks get one.
        binding: Colours of the bound edges.
        loop: Colours of the loops or straps.
        valve: Colours of an exhalation valve.
        sheen: Strength of the reflection, 0 for none.
    """

    color: Names = ()
    print: Names = ()
    weave: Names = ("cotton",)
    mark: Names = ()
    binding: Names = ("same",)
    loop: Names = ("same",)
    valve: Names = ()
    sheen: float = 0.0

    @classmethod
    def parse(cls, described: Mapping[str, Any]) -> "Material":
        """Read the object ``material`` of a template's JSON.

        Raises:
            UsageError: It has a key or a value that means nothing; the message says what is known.
        """
        known = [field.name for field in fields(cls)]
        values: dict[str, Any] = {}
        for key, value in described.items():
            if key not in known:
                raise UsageError(f"a material has no {key!r}; it may have {', '.join(known)}")
            if key == "sheen":
                if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
                    raise UsageError(f"sheen must be a number from 0 to 1, got {value!r}")
                values[key] = float(value)
                continue
            names = [value] if isinstance(value, str) else value
            if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
                raise UsageError(f"{key} must be a name or a list of names, got {value!r}")
            values[key] = tuple(names)
        if not values.get("color") and not values.get("print"):
            raise UsageError("a material needs a color or a print")
        return cls(**values)

    def draw(self, key: str, seed: int) -> str | None:
        """One of the names of a key, decided by the seed; None if it has none."""
        names: Names = getattr(self, key)
        return names[int(draw_unit(seed, "material", key) * len(names))] if names else None


def check_material(described: Mapping[str, Any]) -> None:
    """Raise a `UsageError` for a material that cannot be drawn, also where a name in it is unknown."""
    from maskgen.masking.materials.colors import draw_color
    from maskgen.masking.materials.prints import MOTIFS
    from maskgen.masking.materials.weave import WEAVES

    material = Material.parse(described)
    for key, known in (("print", MOTIFS), ("weave", WEAVES)):
        for name in getattr(material, key):
            if name not in known:
                raise UsageError(f"{key} must be one of {', '.join(known)}; got {name!r}")
    for key in ("color", "binding", "loop", "valve"):
        for name in getattr(material, key):
            if name != "same" or key == "color":
                draw_color(name, 0)
