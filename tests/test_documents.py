"""CONTRIBUTING, CHANGELOG and CITATION.cff: what they name is there, and versions are the program's."""

import re
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest

import maskgen
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.materials.material import Material
from maskgen.masking.templates.library import REQUIRED_ANCHORS, load_template
from maskgen.records import STATUSES

REPOSITORY = Path(__file__).parents[1]


def text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", "CHANGELOG.md", "README.md", "docs/labels.md", "docs/templates.md"]
)
def test_every_file_that_is_named_is_there(name):
    named = re.findall(
        r"(?<![\w/.])((?:maskgen|tests|examples|mask_templates|docs)/[\w/.-]*\w|\.ci/run)", text(name)
    )
    for path in named:
        assert (REPOSITORY / path).exists(), path


def test_the_citation_and_the_changelog_are_of_this_version():
    citation = text("CITATION.cff")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == maskgen.__version__
    for key in ("cff-version: 1.2.0", "message:", "title:", "authors:", "license: MIT"):
        assert key in citation
    assert f"## {maskgen.__version__}\n" in text("CHANGELOG.md")


def test_a_contributor_is_told_the_tables_by_the_names_they_have():
    for module, name in (
        ("maskgen/masking/fits/__init__.py", "FIT_FUNCTIONS"),
        ("maskgen/masking/compositors/__init__.py", "COMPOSITORS"),
        ("maskgen/results/export/detection.py", "FORMATS"),
        ("maskgen/train/model/backbones.py", "BACKBONES"),
    ):
        assert f"{name}:" in text(module)
        assert module in text("CONTRIBUTING.md")


def test_the_page_on_templates_describes_every_key_and_its_examples_are_sound(tmp_path):
    page = text("docs/templates.md")
    keys = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert keys == {field.name for field in fields(Material)} | {"kind", "tone", "recolourable", "licence"}
    assert all(f"`{kind}`" in page for kind in SHAPES)
    of_material, of_image = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "own.json").write_text(of_material)
    assert load_template(tmp_path / "own.json").material is not None
    (tmp_path / "own.json").write_text(of_image)
    cv2.imwrite(str(tmp_path / "own.png"), np.full((896, 1024, 4), 255, np.uint8))
    assert set(load_template(tmp_path / "own.png").anchors) == set(REQUIRED_ANCHORS)


def test_the_wheel_has_the_templates_that_lie_beside_the_package():
    setup = text("setup.py")
    assert '"maskgen.mask_templates"' in setup
    assert '"maskgen.mask_templates": "mask_templates"' in setup


def test_the_page_on_labels_names_every_status_and_score():
    page = text("docs/labels.md")
    for name in (*STATUSES, "mesh_score", "mask_score", "wear_agrees", "coverage", "pose"):
        assert f"`{name}`" in page
