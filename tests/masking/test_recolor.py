"""Dyeing and printing: the new colour is there, the shading and the straps stay, and the seed decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.errors import UsageError
from maskgen.masking.materials.prints import MOTIFS
from maskgen.masking.templates.recolor import parse_color, print_pattern, recolor
from maskgen.records import Image


def cloth(bgr: tuple[int, int, int] = (200, 170, 130), shading: tuple[float, float] = (0.7, 1.15)) -> Image:
    """A square of cloth, darker at the top, in a transparent frame."""
    shade = np.linspace(*shading, 80)[:, None, None]
    bgra = np.zeros((120, 120, 4), np.uint8)
    bgra[20:100, 20:100, :3] = np.clip(np.array(bgr) * shade, 0, 255)
    bgra[20:100, 20:100, 3] = 255
    return bgra


def middle(bgra: Image) -> np.ndarray:
    """The mean colour of the opaque part."""
    return np.asarray(np.median(bgra[bgra[:, :, 3] == 255][:, :3], axis=0))


def hex_bgr(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (5, 3, 1)], float)


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#1a2b3c", "#1a2b3c"),
        ("#ABCDEF", "#abcdef"),
        ("#fa0", "#ffaa00"),
        (" Navy ", "#000080"),
        ("grey", "#808080"),
        ("gray", "#808080"),
        ("random", "random"),
    ],
)
def test_a_colour_is_read_from_hex_and_from_names(text: str, color: str) -> None:
    assert parse_color(text) == color


@pytest.mark.parametrize("text", ["", "#12345", "#1234567", "#gg0000", "123456", "blueish", "rgb(1,2,3)"])
def test_what_is_no_colour_is_refused_with_the_names(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_color(text)
    assert repr(text) in str(refused.value)
    assert "#rrggbb" in str(refused.value)
    assert "navy" in str(refused.value)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 0xFFFFFF))
def test_the_cloth_takes_the_colour(number: int) -> None:
    color = f"#{number:06x}"
    dyed = recolor(cloth(), color)
    # 14 and 246: cloth is never so black or white that no shading could show.
    assert np.abs(middle(dyed) - np.clip(hex_bgr(color), 14, 246)).max() <= 6


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 0xFFFFFF))
def test_what_was_darker_stays_darker(number: int) -> None:
    dyed = recolor(cloth(), f"#{number:06x}").astype(int)
    upper, lower = dyed[22:40, 30:90, :3].mean(), dyed[80:98, 30:90, :3].mean()
    assert upper < lower


@pytest.mark.parametrize("color", ["#c02020", "#2040a0", "#808080"])
def test_shading_keeps_its_ratio_on_a_middling_colour(color: str) -> None:
    before, after = cloth().astype(float), recolor(cloth(), color).astype(float)

    def ratio(bgra: np.ndarray) -> float:
        return float(bgra[20:30, 30:90, :3].mean() / bgra[90:100, 30:90, :3].mean())

    assert ratio(after) == pytest.approx(ratio(before), abs=0.08)


def test_black_and_white_cloth_still_shows_its_folds() -> None:
    for color in ("#000000", "#ffffff"):
        dyed = recolor(cloth(), color)
        assert np.ptp(dyed[20:100, 60, 1].astype(int)) >= 4


def test_alpha_is_left_alone_and_so_is_the_template_that_was_given() -> None:
    before = cloth()
    kept = before.copy()
    for dyed in (recolor(before, "#123456"), print_pattern(before, "dots", 1)):
        assert dyed.dtype == np.uint8
        assert (dyed[:, :, 3] == kept[:, :, 3]).all()
    assert (before == kept).all()


def test_straps_of_another_hue_keep_their_colour() -> None:
    strapped = cloth((200, 120, 60))
    strapped[50:54, 20:100, :3] = (40, 60, 220)
    dyed = recolor(strapped, "#30a030")
    assert np.abs(dyed[51:53, 25:95, :3].astype(int) - (40, 60, 220)).max() <= 4
    assert np.abs(dyed[70, 60, :3].astype(int) - strapped[70, 60, :3]).max() > 40


def test_an_empty_template_is_left_empty() -> None:
    empty = np.zeros((30, 30, 4), np.uint8)
    assert recolor(empty, "#ff0000")[:, :, 3].max() == 0


@pytest.mark.parametrize("pattern", MOTIFS)
def test_a_seed_decides_the_print(pattern: str) -> None:
    plain = np.full((300, 400, 4), 255, np.uint8)
    plain[:, :, :3] = 210
    once, again = print_pattern(plain, pattern, 7), print_pattern(plain, pattern, 7)
    assert (once == again).all()
    assert (print_pattern(plain, pattern, 8) != once).any()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pattern", MOTIFS)
def test_a_print_shows(pattern: str, seed: int) -> None:
    plain = np.full((300, 400, 4), 255, np.uint8)
    plain[:, :, :3] = 210
    printed = print_pattern(plain, pattern, seed)[:, :, :3].astype(int)
    colors, counts = np.unique(printed.reshape(-1, 3) // 16, axis=0, return_counts=True)
    assert len(colors) >= 2
    assert counts.max() < 0.97 * counts.sum()
    assert np.ptp(printed, axis=(0, 1)).max() > 40


def test_a_print_lies_under_the_shading() -> None:
    printed = print_pattern(cloth(shading=(0.5, 1.1)), "noise", 3).astype(int)
    assert printed[20:50, 20:100, :3].mean() < printed[70:100, 20:100, :3].mean()


def test_an_unknown_pattern_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        print_pattern(cloth(), "tartan", 0)
    assert "'tartan'" in str(refused.value)
    for pattern in MOTIFS:
        assert pattern in str(refused.value)
