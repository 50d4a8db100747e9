"""Templates: what a sound one is, what is said of one that is not, and how they are previewed."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL.PngImagePlugin import PngImageFile

from maskgen.errors import TemplateError
from maskgen.masking.preview import draw_preview
from maskgen.masking.templates.library import (
    REQUIRED_ANCHORS,
    check_template,
    list_templates,
    load_template,
)
from maskgen.records import TONES

SHIPPED = [info.name for info in list_templates()]
FIELDS = {"kind": "cloth", "tone": "light", "recolourable": True, "licence": "MIT"}
ANCHORS_OF_ITS_OWN = {
    "nose_bridge": [40, 5],
    "chin": [40, 55],
    "left_cheek": [10, 30],
    "right_cheek": [70, 30],
}


def write_template(folder: Path, *, picture: Any = None, without: str = "", **changes: Any) -> Path:
    """A small template with an image, sound but for ``changes``; returns the path of its PNG."""
    bgra = np.zeros((60, 80, 4), np.uint8)
    bgra[10:50, 10:70] = (200, 150, 100, 255)
    path = folder / "own.png"
    cv2.imwrite(str(path), bgra if picture is None else picture)
    described = {**FIELDS, "anchors": ANCHORS_OF_ITS_OWN, **changes}
    described.pop(without, None)
    path.with_suffix(".json").write_text(json.dumps(described), encoding="utf-8")
    return path


def write_material(folder: Path, **changes: Any) -> Path:
    """A template with a material, sound but for ``changes``; returns the path of its JSON."""
    path = folder / "own.json"
    material = {"color": "navy", "weave": "cotton"}
    path.write_text(json.dumps({**FIELDS, "material": material, **changes}), encoding="utf-8")
    return path


def moved(**anchors: Any) -> dict[str, Any]:
    return {"anchors": {**ANCHORS_OF_ITS_OWN, **anchors}}


def lacking(name: str) -> dict[str, Any]:
    return {"anchors": {key: place for key, place in ANCHORS_OF_ITS_OWN.items() if key != name}}


def test_an_image_of_ones_own_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_template(tmp_path)
    assert check_template(path) == []
    template = load_template(path)
    assert (template.name, template.kind, template.tone, template.licence) == ("own", "cloth", "light", "MIT")
    assert template.bgra.shape == (60, 80, 4)
    assert template.bgra[30, 40].tolist() == [200, 150, 100, 255]
    assert template.bgra[0, 0, 3] == 0
    assert template.anchors["right_cheek"] == (70.0, 30.0)
    assert template.material is None


def test_a_material_of_ones_own_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_material(tmp_path)
    assert check_template(path) == []
    template = load_template(path)
    assert (template.name, template.kind, template.tone, template.licence) == ("own", "cloth", "light", "MIT")
    assert template.material == {"color": "navy", "weave": "cotton"}
    assert template.bgra is None and not template.anchors
    assert template.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"material": {"color": "whit", "weave": "cotton"}},
            ["material.color", "'whit'", "did you mean 'white'"],
        ),
        ({"material": {}}, ["material lacks", "color"]),
        ({"material": "navy"}, ["'material' must be dict", "'navy'"]),
        ({"kind": "niqab"}, ["'niqab'", "surgical", "gaiter", "shape"]),
        ({"tone": "bright"}, ["tone must be one of", *TONES]),
    ],
)
def test_what_is_wrong_with_a_material_is_said_with_the_file(
    tmp_path: Path, changes: dict[str, Any], said: list[str]
) -> None:
    (problem,) = check_template(write_material(tmp_path, **changes))
    for part in [str(tmp_path / "own.json"), *said]:
        assert part in problem


@pytest.mark.parametrize("suffix", [".png", ".PNG"])
def test_the_suffix_of_an_image_may_be_large(tmp_path: Path, suffix: str) -> None:
    path = write_template(tmp_path)
    path = path.rename(path.with_suffix(suffix))
    assert load_template(path).kind == "cloth"
    assert load_template(path.with_suffix(".json")).kind == "cloth"


def test_only_an_image_may_have_a_kind_without_a_shape(tmp_path: Path) -> None:
    assert load_template(write_template(tmp_path, kind="niqab")).kind == "niqab"


def test_the_description_names_the_template_as_well_as_the_picture_does(tmp_path: Path) -> None:
    path = write_template(tmp_path)
    assert load_template(path.with_suffix(".json")).sha256 == load_template(str(path)).sha256


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_description_may_have_any_encoding_and_a_megabyte(tmp_path: Path, encoding: str) -> None:
    path = write_template(tmp_path)
    text = path.with_suffix(".json").read_text(encoding="utf-8")
    path.with_suffix(".json").write_text(text, encoding=encoding)
    assert load_template(path).kind == "cloth"
    path.with_suffix(".json").write_text(text + " " * (1 << 20))
    with pytest.raises(TemplateError, match="larger than 1,048,576 bytes"):
        load_template(path)


def test_the_hash_changes_with_the_picture_and_with_the_description(tmp_path: Path) -> None:
    as_written = load_template(write_template(tmp_path)).sha256
    other_words = load_template(write_template(tmp_path, licence="CC0-1.0")).sha256
    other_picture = load_template(
        write_template(tmp_path, picture=np.full((60, 80, 4), 255, np.uint8))
    ).sha256
    assert len({as_written, other_words, other_picture}) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        *((lacking(name), ["anchors lack", name]) for name in REQUIRED_ANCHORS),
        (moved(nose_brige=[1, 2]), ["no anchor 'nose_brige'", "did you mean 'nose_bridge'"]),
        (moved(xyzzy=[1, 2]), ["no anchor 'xyzzy'", "known are", "nose_bridge"]),
        (moved(mouth=[400, 30]), ["mouth", "far outside"]),
        (moved(mouth=[40, -70]), ["mouth", "far outside"]),
        (moved(mouth=[40]), ["mouth", "must be [x, y]"]),
        (moved(mouth="40,30"), ["mouth", "must be [x, y]"]),
        (moved(mouth=[True, 3]), ["mouth", "must be [x, y]"]),
        (moved(mouth=[float("nan"), 3]), ["mouth", "must be [x, y]"]),
        (moved(left_cheek=[70, 30], right_cheek=[10, 30]), ["left_cheek must lie left of right_cheek"]),
        (moved(nose_bridge=[40, 55], chin=[40, 5]), ["nose_bridge must lie above chin"]),
        ({"tone": "bright"}, ["tone must be one of", *TONES, "'bright'"]),
        ({"recolourable": "yes"}, ["'recolourable' must be bool", "'yes'"]),
        ({"anchors": []}, ["'anchors' must be dict"]),
        *(({"without": name}, [f"has no {name!r}"]) for name in ("kind", "tone", "licence", "anchors")),
        ({"picture": np.full((60, 80, 3), 9, np.uint8)}, ["own.png", "no alpha channel", "RGBA"]),
        ({"picture": np.zeros((60, 80, 4), np.uint8)}, ["own.png", "transparent everywhere"]),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_place(
    tmp_path: Path, changes: dict[str, Any], said: list[str]
) -> None:
    path = write_template(tmp_path, **changes)
    problems = check_template(path)
    assert len(problems) == 1
    assert "own." in problems[0]
    for part in said:
        assert part in problems[0]
    with pytest.raises(TemplateError) as refused:
        load_template(path)
    assert str(refused.value) == problems[0]


def test_every_wrong_anchor_is_named_at_once(tmp_path: Path) -> None:
    problems = check_template(write_template(tmp_path, **moved(nose_brige=[1, 2], mouth=[999, 0])))
    assert len(problems) == 2


def _remove_description(path: Path) -> None:
    path.with_suffix(".json").unlink()


def _break_description(path: Path) -> None:
    path.with_suffix(".json").write_text("{", encoding="utf-8")


def _list_for_description(path: Path) -> None:
    path.with_suffix(".json").write_text("[]", encoding="utf-8")


def _remove_picture(path: Path) -> None:
    path.unlink()


def _truncate_picture(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_remove_description, ["own.json is missing", "kind", "anchors"]),
        (_break_description, ["own.json", "JSON"]),
        (_list_for_description, ["own.json", "one JSON object", "list"]),
        (_remove_picture, ["own.png", "No such file"]),
        (_truncate_picture, ["own.png", "cannot be decoded"]),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, damage: Callable[[Path], None], said: list[str]) -> None:
    path = write_template(tmp_path)
    damage(path)
    with pytest.raises(TemplateError) as refused:
        load_template(path)
    for part in said:
        assert part in str(refused.value)


@pytest.mark.parametrize(("count", "size"), [(1, (250, 256)), (5, (250, 1280)), (6, (500, 1280))])
def test_a_preview_has_a_tile_for_each_template(count: int, size: tuple[int, int]) -> None:
    sheet = draw_preview([load_template("surgical_blue")] * count)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (*size, 3)
    blue, _, red = sheet[125, 128].astype(int)
    assert blue > red + 20
    if count == 6:
        assert (sheet[250:, 256:] == 255).all()
        assert (sheet[:250, :256] == sheet[250:, :256]).all()


def test_a_preview_takes_an_image_of_any_shape_and_name(tmp_path: Path) -> None:
    tall = np.full((300, 60, 4), (0, 0, 255, 255), np.uint8)
    sheet = draw_preview([load_template(write_template(tmp_path, picture=tall))])
    assert sheet[125, 128].tolist() == [0, 0, 255]
    assert (sheet[112, 20] != (0, 0, 255)).any()


def test_a_preview_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        draw_preview([])


@pytest.mark.parametrize(
    ("size", "padding", "said"),
    [
        ((12_000, 12_000), 0, "12000 x 12000 pixels are more than 16000000"),
        (None, 64 << 20, "bytes, a template may"),
    ],
)
def test_a_template_over_the_limits_is_refused_before_it_is_decoded(
    tmp_path, monkeypatch, size, padding, said
):
    path = write_template(tmp_path)
    if size:
        data = path.read_bytes()
        header = b"IHDR" + size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + data[24:29]
        path.write_bytes(data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:])
    with path.open("ab") as file:
        file.truncate(path.stat().st_size + padding)
    monkeypatch.setattr(PngImageFile, "load", lambda *_: pytest.fail("it is decoded"))
    with pytest.raises(TemplateError, match=said) as refused:
        load_template(path)
    assert "MASKGEN_MAX_PIXELS" not in str(refused.value)
