"""Prints: seamless, the same for the same seed and at every scale, of real sizes and muted colours."""

import time

import cv2
import numpy as np
import pytest

from maskgen.errors import UsageError
from maskgen.masking.materials.cloth import Cloth
from maskgen.masking.materials.motifs.shapes import place, scatter, star
from maskgen.masking.materials.noise import fractal_noise
from maskgen.masking.materials.palette import Palette, draw_palette
from maskgen.masking.materials.prints import MOTIFS, draw_print

motifs = pytest.mark.parametrize("motif", sorted(MOTIFS))


def lab(tile):
    return cv2.cvtColor(tile.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)


@motifs
@pytest.mark.parametrize("pixels_per_cm", [2, 8, 20])
def test_a_print_continues_itself_at_all_four_sides(motif, pixels_per_cm):
    for seed in range(3):
        tile = draw_print(motif, seed, pixels_per_cm).tile.astype(float)
        for axis in (0, 1):
            steps = np.abs(np.diff(tile, axis=axis, append=np.take(tile, [0], axis=axis)))
            each = steps.mean(axis=(1 - axis, 2))
            # A seam may be where two bands of a weave meet.
            slack = 3.0 if motif in ("checks", "gingham", "plaid", "pinstripes", "stripes") else 1.3
            assert each[-1] <= each[:-1].max() * slack + 3, (seed, axis)


@pytest.mark.parametrize("pixels_per_cm", [4, 10])
def test_what_leaves_the_cloth_at_one_side_comes_in_at_the_other(pixels_per_cm):
    """A drawing moved by whole pixels is the same drawing, its repeats included."""
    tiles = []
    for shift in (0.0, 2.0, 3.5):
        cloth = Cloth((6.0, 5.0), pixels_per_cm, (200, 200, 200))
        centers = np.array([(0.3, 0.2), (2.0, 2.4), (5.8, 4.7), (5.5, 2.5)]) + shift
        colors = np.array([(10, 10, 10), (90, 0, 0), (0, 90, 0), (0, 0, 90)], np.uint8)
        cloth.fill(place(star(), centers, 1.2, np.arange(4.0)), colors)
        moved = round(shift * pixels_per_cm)
        tiles.append(np.roll(cloth.finish().tile, (-moved, -moved), axis=(0, 1)))
    for tile in tiles[1:]:
        # cv2 rounds the edges that it clips a little otherwise.
        assert np.abs(tile.astype(float) - tiles[0]).mean() < 1


@motifs
def test_a_print_is_the_same_for_the_same_seed_and_another_for_others(motif):
    tiles = [draw_print(motif, seed, 8).tile.tobytes() for seed in (1, 1, 2, 3)]
    assert tiles[0] == tiles[1]
    assert len(set(tiles)) == 3


@motifs
@pytest.mark.parametrize("pixels_per_cm", [1.5, 4, 13.7])
def test_a_tile_has_the_size_it_says(motif, pixels_per_cm):
    print_ = draw_print(motif, 5, pixels_per_cm)
    height, width = print_.tile.shape[:2]
    assert print_.tile.dtype == np.uint8 and print_.tile.shape[2] == 3
    assert abs(width - print_.size_cm[0] * pixels_per_cm) <= 1
    assert abs(height - print_.size_cm[1] * pixels_per_cm) <= 1
    # Larger than one motif and not much larger than a mask.
    assert min(print_.size_cm) >= 1.5 and max(print_.size_cm) <= 20


def test_a_tile_for_a_huge_face_stays_of_a_reasonable_size():
    print_ = draw_print("tie_dye", 0, 300)
    assert print_.tile.shape == draw_print("tie_dye", 0, 40).tile.shape
    assert max(print_.tile.shape) <= 40 * 20


@motifs
def test_a_print_is_the_same_at_another_resolution(motif):
    for seed in range(3):
        small, large = draw_print(motif, seed, 4).tile, draw_print(motif, seed, 16).tile
        reduced = cv2.resize(large, small.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(float) - reduced).mean() < 9


@motifs
def test_colours_are_those_of_printed_cloth(motif):
    for seed in range(12):
        tile = draw_print(motif, seed, 8).tile
        assert tile.min() >= 20 and tile.max() <= 246
        colors = lab(tile).reshape(-1, 3)
        assert 15 < colors[:, 0].mean() < 93
        # No pure red, green or blue: sRGB's own have a chroma of 105 to 134.
        assert np.linalg.norm(colors[:, 1:], axis=1).max() < 75
        assert np.linalg.norm(colors[:, 1:].mean(axis=0)) < 60


@motifs
def test_a_print_can_be_seen(motif):
    contrast = [lab(draw_print(motif, seed, 20).tile).std(axis=(0, 1)).max() for seed in range(6)]
    assert min(contrast) > 1.5


def test_a_palette_of_one_s_own_colours_the_print():
    palette = Palette((200, 210, 220), ((30, 40, 50),))
    for motif in MOTIFS:
        tile = draw_print(motif, 3, 8, palette).tile.reshape(-1, 3).astype(int)
        assert tile[:, 0].min() >= 20 and tile[:, 2].max() <= 244
        assert (np.diff(tile, axis=1) > -6).all(), motif


def test_washed_palettes_differ_a_little_from_seed_to_seed():
    grounds = np.array([draw_palette(("a3262b e2d9c2",), seed).ground for seed in range(20)], float)
    assert 1 < np.linalg.norm(grounds - grounds.mean(axis=0), axis=1).mean() < 16


def test_an_unknown_print_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"print must be one of bandana, .*plaid.*got 'tartan'"):
        draw_print("tartan", 0, 8)


def test_small_prints_are_cheap():
    for motif in MOTIFS:
        draw_print(motif, 0, 3)
    started = time.process_time()
    for seed in range(1, 6):
        for motif in MOTIFS:
            draw_print(motif, seed, 3)
    each = (time.process_time() - started) / 5 / len(MOTIFS)
    assert each < 0.01  # 1.1 ms on an idle machine


def test_scattered_places_lie_on_the_tile_and_apart():
    size, centers, between, draws = scatter(1.0, 5.0, 0.1, 3, "here", rows_apart=0.9)
    assert len(centers) == len(between) == len(draws)
    assert abs(size[0] - 5) < 1 and abs(size[1] - 5) < 1
    apart = np.linalg.norm(centers[:, None] - centers[None], axis=2) + 9 * np.eye(len(centers))
    assert apart.min() > 0.6


def test_a_shape_is_placed_by_centre_size_and_angle():
    placed = place(star(), np.array([[3.0, 4.0]]), 2.0, np.pi / 2)
    assert placed.shape == (1, 10, 2)
    np.testing.assert_allclose(placed[0, 0], (5.0, 4.0), atol=1e-9)  # the upper tip, a quarter turn on


@pytest.mark.parametrize("knots", [(2, 2), (3, 9), (16, 16), (64, 64)])
def test_noise_is_periodic_and_near_unit_deviation(knots):
    field = fractal_noise((64, 96), knots, 2, 7, "field")
    assert field.shape == (64, 96) and field.dtype == np.float32
    assert abs(field.mean()) < 0.05 and 0.4 < field.std() < 1.6
    seam = np.abs(field[:, 0] - field[:, -1]).mean()
    assert seam <= 2 * np.abs(np.diff(field, axis=1)).mean() + 1e-3
