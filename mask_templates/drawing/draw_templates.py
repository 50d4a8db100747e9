"""Draws every template that comes with maskgen.

``python mask_templates/drawing/draw_templates.py [NAME ...]`` writes NAME.png and NAME.json into the folder
above this one.
The same versions of numpy and OpenCV draw the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from canvas import UNIT, X, Y, finish
from cloth import cloth, fashion
from parts import Picture
from respirators import ffp2, kn95, n95
from surgical import surgical

from maskgen.face_mesh import ANCHORS, TEMPLATE_SIZE, canonical_template_points
from maskgen.masking.templates.recolor import PATTERNS, print_pattern

HERE = Path(__file__).parents[1]


def printed(pattern: str, seed: int) -> Picture:
    """Cloth with one of the patterns that `maskgen synth --pattern` prints."""
    plain = np.full((TEMPLATE_SIZE[1], TEMPLATE_SIZE[0], 4), 255, np.uint8)
    ink = print_pattern(plain, pattern, seed)[:, :, :3]
    size = (X.shape[1], X.shape[0])
    large = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    # The print goes round the cheeks, and two panels cut from one cloth never meet in the pattern.
    across = 0.85 * np.arcsin(np.clip(X / 0.85, -0.97, 0.97)) * UNIT + size[0] / 2
    down = Y * UNIT + 200 + np.where(X > 0, 23.0, 0.0)
    large = cv2.remap(
        large,
        np.asarray(across, np.float32),
        np.asarray(down, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return cloth(large.astype(np.float32), seed, strap=(225, 225, 225))


# name: (kind, tone, recolourable, how it is drawn); colours are BGR.
TEMPLATES: dict[str, tuple[str, str, bool, Callable[[], Picture]]] = {
    "surgical_blue": ("surgical", "light", True, lambda: surgical((224, 186, 128), 11)),
    "surgical_light_blue": ("surgical", "light", True, lambda: surgical((236, 218, 186), 12)),
    "surgical_green": ("surgical", "light", True, lambda: surgical((178, 200, 128), 13)),
    "surgical_white": ("surgical", "light", True, lambda: surgical((238, 237, 235), 14)),
    "surgical_pink": ("surgical", "light", True, lambda: surgical((205, 178, 240), 15)),
    "surgical_lilac": ("surgical", "light", True, lambda: surgical((226, 190, 205), 16)),
    "surgical_grey": ("surgical", "dark", True, lambda: surgical((124, 122, 120), 17)),
    "surgical_black": ("surgical", "dark", True, lambda: surgical((44, 42, 42), 18, strap=(40, 40, 40))),
    "n95_white": ("n95", "light", True, lambda: n95((232, 234, 234), 21)),
    "n95_valve": ("n95", "light", True, lambda: n95((228, 231, 232), 22, valve=True)),
    "n95_teal": ("n95", "light", True, lambda: n95((196, 200, 142), 23, strap=(235, 235, 235))),
    "ffp2_white": ("ffp2", "light", True, lambda: ffp2((236, 236, 234), 31)),
    "ffp2_black": ("ffp2", "dark", True, lambda: ffp2((48, 46, 46), 32, strap=(45, 45, 45))),
    "kn95_white": ("kn95", "light", True, lambda: kn95((238, 238, 236), 41)),
    "kn95_black": ("kn95", "dark", True, lambda: kn95((46, 44, 44), 42, strap=(44, 44, 44))),
    "kn95_grey": ("kn95", "dark", True, lambda: kn95((138, 134, 130), 43, strap=(150, 150, 150))),
    "cloth_white": ("cloth", "light", True, lambda: cloth((226, 228, 230), 51, strap=(225, 225, 225))),
    "cloth_beige": ("cloth", "light", True, lambda: cloth((172, 196, 212), 52, strap=(170, 190, 205))),
    "cloth_grey": ("cloth", "dark", True, lambda: cloth((112, 110, 108), 53)),
    "cloth_black": ("cloth", "dark", True, lambda: cloth((40, 38, 38), 54, strap=(36, 36, 36))),
    "cloth_navy": ("cloth", "dark", True, lambda: cloth((92, 58, 40), 55)),
    "cloth_red": ("cloth", "dark", True, lambda: cloth((52, 44, 156), 56)),
    "knit_black": ("cloth", "dark", True, lambda: fashion((44, 43, 43), 57)),
    "knit_grey": ("cloth", "dark", True, lambda: fashion((104, 98, 94), 58)),
    "cloth_stripes": ("cloth", "patterned", False, lambda: printed("stripes", 61)),
    "cloth_checks": ("cloth", "patterned", False, lambda: printed("checks", 62)),
    "cloth_dots": ("cloth", "patterned", False, lambda: printed("dots", 63)),
    "cloth_floral": ("cloth", "patterned", False, lambda: printed("floral", 64)),
    "cloth_camouflage": ("cloth", "patterned", False, lambda: printed("camouflage", 65)),
    "cloth_noise": ("cloth", "patterned", False, lambda: printed("noise", 66)),
}


def anchors() -> dict[str, list[float]]:
    """Every named anchor where the mean face has it, as all templates here are drawn on that face."""
    points = canonical_template_points()
    return {name: [round(float(v), 2) for v in points[list(at)].mean(axis=0)] for name, at in ANCHORS.items()}


def main(names: list[str]) -> None:
    """Draw the named templates, or all."""
    assert set(PATTERNS) == {name.split("_")[1] for name, t in TEMPLATES.items() if t[1] == "patterned"}
    for name in names or TEMPLATES:
        kind, tone, recolourable, draw = TEMPLATES[name]
        cv2.imwrite(str(HERE / f"{name}.png"), finish(draw()), [cv2.IMWRITE_PNG_COMPRESSION, 9])
        described = {
            "schema": 1,
            "name": name,
            "kind": kind,
            "tone": tone,
            "recolourable": recolourable,
            "licence": "MIT",
            "size": list(TEMPLATE_SIZE),
            "anchors": anchors(),
        }
        (HERE / f"{name}.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
