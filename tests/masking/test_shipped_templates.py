"""What ships in mask_templates/: enough of each kind and tone, sound, and of the tone that it says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from synthetic_faces import in_image, laid, mean_face

from maskgen.masking.coverage import coverage, wear_agrees
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.templates.library import check_template, list_templates, load_template, template_folder
from maskgen.records import TONES

SHIPPED = [info.name for info in list_templates()]


def test_enough_templates_ship_in_every_tone_and_kind() -> None:
    known = list_templates()
    assert len(known) >= 40
    assert {info.tone for info in known} == set(TONES)
    counts = {kind: len([info for info in known if info.kind == kind]) for kind in SHAPES}
    assert min(counts.values()) >= 2 and counts["surgical"] >= 7 and counts["cloth"] >= 15


def test_they_are_small_texts_that_a_person_can_read() -> None:
    files = {path.name for path in template_folder().iterdir() if path.is_file()}
    assert files == {"__init__.py"} | {f"{name}.json" for name in SHIPPED}
    assert sum(path.stat().st_size for path in template_folder().glob("*.json")) < 40_000


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_is_sound_and_covers_the_mean_face(name: str) -> None:
    path = template_folder() / f"{name}.json"
    assert check_template(path) == []
    template, face = load_template(name), mean_face()
    assert template.licence == "MIT"
    assert json.loads(path.read_text(encoding="utf-8"))["name"] == template.name == name
    layer = laid("mesh", template, face)
    shares, _ = coverage(in_image(layer, face), face)
    assert wear_agrees("correct", shares), shares


@pytest.mark.parametrize("name", SHIPPED)
def test_its_tone_is_that_of_its_cloth(name: str) -> None:
    template = load_template(name)
    layers = [laid("mesh", template, mean_face(), seed=seed) for seed in range(8)]
    lightness = np.median([layer.bgr[layer.alpha == 255].mean() / layer.exposure for layer in layers])
    if template.tone == "patterned":
        assert template.material is not None
        assert template.material.keys() & {"print", "mark"}
    else:
        # Greys may be either.
        assert lightness > 130 if template.tone == "light" else lightness < 175


@pytest.mark.parametrize("name", [name for name in SHIPPED if load_template(name).recolourable])
def test_a_template_that_says_so_takes_a_colour(name: str) -> None:
    layer = laid("mesh", name, mean_face(), color="#a03c78")
    drawn = np.median(layer.bgr[layer.alpha == 255], axis=0)
    wanted = np.array([0x78, 0x3C, 0xA0], float)
    assert drawn @ wanted > 0.97 * np.linalg.norm(drawn) * np.linalg.norm(wanted)
