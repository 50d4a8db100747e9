"""Garments: a surface over the mesh, hidden by depth; folds and material are new for each seed."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from synthetic_faces import LIGHT, PLAIN, in_image, laid, mean_face, worn

from maskgen.face_mesh import ANCHORS
from maskgen.masking.face.light_direction import LightDirection
from maskgen.masking.garment.drape import drape
from maskgen.masking.garment.draws import Draws
from maskgen.masking.garment.dress import dress
from maskgen.masking.garment.garment import Cloth
from maskgen.masking.garment.relief import Relief, add_folds, fold_table, pleat_relief, ridge_relief
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.garment.shapes.parts import relief
from maskgen.masking.garment.surface import grid_position, grid_uv, surface
from maskgen.masking.templates.library import load_template


def bare(garment, **changes):
    """A garment without trims, patches and loops."""
    return replace(garment, **{"trims": (), "patches": (), "loops": (), **changes})


KINDS = pytest.mark.parametrize("kind", SHAPES)


# Surface


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (40, 0, 0), (-70, 10, 0), (0, -20, 30)])
@pytest.mark.parametrize("part", ["nose_tip", "chin", "left_cheek", "right_cheek", "left_jaw", "right_jaw"])
def test_the_surface_passes_through_the_mesh(yaw, pitch, roll, part):
    face = mean_face(yaw=yaw, pitch=pitch, roll=roll)
    points = surface(face, np.zeros(grid_uv()[0].shape)).points.reshape(-1, 3)
    at = face.points[list(ANCHORS[part])].mean(axis=0)
    # The grid's points are 9 pixels apart.
    assert np.linalg.norm(points - at, axis=1).min() < 9


@pytest.mark.parametrize("stand_off", [0.1, 0.3])
def test_a_stand_off_moves_the_surface_away_from_the_head(stand_off):
    face, shape = mean_face(), grid_uv()[0].shape
    near, far = surface(face, np.zeros(shape)), surface(face, np.full(shape, stand_off))
    moved = (far.points - near.points) @ face.axes.T
    assert np.linalg.norm(moved, axis=2) == pytest.approx(stand_off * face.eye_distance, rel=1e-3)
    (nose,), _ = grid_position(far, np.zeros(1), np.full(1, 0.32))
    (bare,), _ = grid_position(near, np.zeros(1), np.full(1, 0.32))
    assert nose[2] < bare[2] - 0.7 * stand_off * face.eye_distance  # nearer to the camera


def test_normals_point_away_from_the_head():
    normals = surface(mean_face(), np.zeros(grid_uv()[0].shape)).normals
    assert np.linalg.norm(normals, axis=2) == pytest.approx(1)
    u, v = grid_uv()
    front, left, right = (
        normals[(np.abs(u - at) < 0.05) & (v > 0.2) & (v < 0.9)].mean(axis=0) for at in (0, -1.1, 1.1)
    )
    assert front[2] < -0.8 and left[0] < -0.5 and right[0] > 0.5


# Depth


@pytest.mark.parametrize("yaw", [-70, -55, 55, 70])
@pytest.mark.parametrize("kind", ["surgical", "cloth", "kn95", "n95"])
def test_in_profile_the_far_half_is_hidden_by_the_near_one(kind, yaw):
    """The far half of a mask that is red on the far side and blue on the near one shows next to nothing."""
    face, plan = mean_face(yaw=yaw), worn()
    garment = dress(load_template(PLAIN[kind]), plan, face.eye_distance)
    tile = np.zeros((8, 256, 3), np.uint8)
    tile[:, :128], tile[:, 128:] = (255, 0, 0), (0, 0, 255)  # x of 0 is the left of the tile
    layer = drape(bare(garment, cloth=Cloth((0, 0, 0), tile, (4.0, 1.0))), face, plan, LIGHT)
    blue, red = (((layer.bgr[:, :, channel] > 60) & (layer.alpha > 127)).sum() for channel in (0, 2))
    # A face with a positive yaw looks to the right: its left half is near.
    near, far = (red, blue) if yaw > 0 else (blue, red)
    assert far < 0.35 * near, (near, far)


def test_the_outline_of_a_profile_runs_over_the_nose():
    """Nothing is drawn beyond the nearest cloth: at the height of the nose tip it ends there."""
    face = mean_face(yaw=70)
    alpha = in_image(laid("mesh", "surgical_blue", face), face)
    x, y = face.anchor("nose_tip")
    assert np.flatnonzero(alpha[round(y)] > 127).max() == pytest.approx(x, abs=12)


# Variety


@KINDS
def test_a_seed_decides_every_byte_and_another_seed_others(kind):
    face = mean_face()
    layers = [laid("mesh", PLAIN[kind], face, seed=seed) for seed in (1, 1, 2)]
    first, again, other = ((layer.origin, layer.bgr.tobytes(), layer.alpha.tobytes()) for layer in layers)
    assert first == again
    assert first != other
    assert layers[0].alpha.shape != layers[2].alpha.shape or (layers[0].alpha != layers[2].alpha).any()


@KINDS
def test_two_masks_of_a_kind_have_their_own_folds(kind):
    """Their relief, as lightness without its broad shading, is not correlated."""
    face = mean_face()
    planes = []
    for seed in range(8):
        layer = laid("mesh", PLAIN[kind], face, seed=seed)
        grey = np.zeros((400, 400), np.float32)
        grey[layer.window] = layer.bgr.mean(axis=2)
        fine = grey - cv2.GaussianBlur(grey, (0, 0), 12)
        x, y = np.round(face.anchor("mouth")).astype(int)
        planes.append(fine[y - 20 : y + 40, x - 35 : x + 36].ravel())
    alike = np.corrcoef(planes)[np.triu_indices(8, 1)]
    # A centre seam and a moulded form are alike by nature.
    assert np.median(alike) < (0.93 if kind in ("sponge", "kn95", "n95", "ffp2") else 0.7)


# Relief


def pleats(*rows, half_width=1.0):
    """Even pleats: height and depth at midline and side, softness, length of the recovery, slope."""
    drawn = relief(Draws(0, "test"), rows, (), half_width, 0.0, uneven=0.0)
    return drawn.pleats, drawn.curves


def test_a_pleat_is_a_crest_that_is_dark_under_its_edge_and_recovers_below():
    pleat = pleats((0.7, 0.8, 0.04, 0.02, 0.01, 0.2, 0.0))
    places = (0.55, 0.68, 0.7, 0.711, 0.8, 0.95)
    heights, darks = zip(*(pleat_relief(*pleat, 0.0, 0.0, y) for y in places), strict=True)
    # The cloth rises to the edge and falls below it.
    assert heights[0] == heights[5] == 0 < heights[1] < heights[2] > heights[3] > heights[4] > 0
    assert heights[2] == pytest.approx(0.04, abs=0.001)
    # The shade has a sharp upper and a soft lower border.
    assert darks[0] == darks[1] == darks[5] == 0 and darks[3] > 0.2
    assert 0 < pleat_relief(*pleat, 0.0, 0.0, 0.74)[1] < 0.5 * darks[3]
    # At the side it lies lower and is half as deep.
    assert pleat_relief(*pleat, 0.0, 1.0, 0.8)[0] == pytest.approx(0.02, abs=0.001)
    assert 0 < pleat_relief(*pleat, 0.0, 1.0, 0.811)[1] < darks[3]
    # A camera that sees no less than 0.1 eye distances sees a softer border of its shade.
    assert 0 < pleat_relief(*pleat, 0.1, 0.0, 0.711)[1] < darks[3]


@pytest.mark.parametrize("x", [-0.5, 0.0, 0.5])
def test_a_pleat_may_slope_down_to_the_right(x):
    pleat = pleats((0.7, 0.7, 0.04, 0.04, 0.01, 0.2, 0.1))
    above, at, below = (pleat_relief(*pleat, 0.0, x, 0.7 + 0.1 * x + off) for off in (-0.02, 0.0, 0.02))
    assert above[0] < at[0] > below[0] and at[0] == pytest.approx(0.04, abs=0.001)
    assert above[1] == 0 < below[1]


def test_no_two_pleats_take_the_same_course():
    row = (0.7, 0.8, 0.04, 0.02, 0.01, 0.2, 0.0)
    (first, deep), (second, deep_too) = relief(Draws(0, "test"), (row, row), (), 1.0, 0.0).curves
    assert np.abs(first - second).max() > 0.01
    assert np.abs(deep - deep_too).max() > 0.01 and min(deep.min(), deep_too.min()) >= 0


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0, np.pi])
def test_a_fold_has_a_steep_and_a_soft_flank_and_fades_at_both_ends(angle):
    fold = np.array([[0.1, 0.6, angle, 0.05, 0.5, 0.02]])

    def height(along, aside, finest=0.0):
        cosine, sine = np.cos(angle), np.sin(angle)
        right, down = 0.1 + along * cosine - aside * sine, 0.6 + along * sine + aside * cosine
        heights = np.zeros(1, np.float32)
        add_folds(fold_table(fold, finest), np.float32([right]), np.float32([down]), heights)
        return heights[0]

    crest = height(0.2, 0.0)
    assert crest == pytest.approx(0.02, rel=0.1)
    assert crest > height(0.2, 0.03) > height(0.2, -0.03) > 0
    assert height(-0.01, 0) == height(0.51, 0) == height(0.2, 0.2) == height(0.2, -0.2) == 0
    # A camera that sees no less than 0.1 eye distances sees it lower, and wider on its steep side.
    assert height(0.167, 0.0, 0.1) < 0.6 * height(0.167, 0.0) and height(0.167, -0.09) == 0
    assert height(0.167, -0.09, 0.1) > 0 and height(0.167, -0.11, 0.1) == 0


def test_the_ridge_has_a_rounded_crest_and_its_seam_is_dark():
    ridge = (0.1, 0.4, 0.5, 0.9)
    assert ridge_relief(ridge, 0.0, 0.0, 0.2) == (0.1, 0.5)
    heights = [ridge_relief(ridge, 0.0, x, 0.2)[0] for x in (0.0, 0.01, 0.05, 0.1, 0.15)]
    first, second, third, fourth = -np.diff(heights) / (0.01, 0.04, 0.05, 0.05)
    assert 0 < first < 0.4 * third and second < third and third > fourth
    assert heights[3] == ridge_relief(ridge, 0.0, -0.1, 0.2)[0] < 0.07
    assert ridge_relief(ridge, 0.0, 0.05, 0.2)[1] == 0 and ridge_relief(ridge, 0.0, 0.41, 0.2) == (0, 0)
    # Where a pixel shows more than the seam it is less dark.
    assert ridge_relief(ridge, 0.1, 0.0, 0.2)[1] < 0.1
    assert 0.1 > ridge_relief(ridge, 0.0, 0.0, 0.75)[0] > 0 and ridge_relief(ridge, 0.0, 0.0, 0.9) == (0, 0)


def test_a_fold_is_light_on_the_side_of_the_light():
    """A pleat's edge throws the same cloth into shade and light, one below the other."""
    face, plan = mean_face(eye_distance=160, size=(600, 600), center=(300, 220)), worn()
    garment = dress(load_template("surgical_blue"), plan, face.eye_distance)
    flat, pleated = (
        bare(garment, relief=smooth(garment, steps), cloth=Cloth((180, 180, 180)))
        for steps in (pleats(), pleats((0.75, 0.75, 0.05, 0.05, 0.012, 0.25, 0.0)))
    )
    plain, folded = (drape(each, face, plan, LIGHT) for each in (flat, pleated))
    assert plain.bgr.shape == folded.bgr.shape
    change = (folded.bgr.astype(int) - plain.bgr)[:, plain.bgr.shape[1] // 2, 1]
    assert change.min() < -8 and change.max() > 1


def smooth(garment, steps):
    """The garment's relief with these pleats alone."""
    edges, curves = steps
    flat = np.zeros((0, 6)), (0.0, 1.0, 0.0, 0.0), 0.0
    return Relief(edges, curves, *flat, garment.relief.crumple_map)


@pytest.mark.parametrize(("level", "least", "most"), [(235.0, 0.015, 0.04), (45.0, 0.045, 0.12)])
def test_a_hollow_gets_less_light_and_least_in_black_cloth(level, least, most):
    face, plan, groove = mean_face(), worn(), np.array([[-0.5, 0.7, 0.0, 0.06, 1.0, -0.1]])
    garment = dress(load_template("surgical_blue"), plan, face.eye_distance)
    even = LightDirection(np.array([0.0, 0.0, -1.0]), 0.0)
    flat = smooth(garment, pleats())
    plain, hollow = (
        drape(bare(garment, relief=each, cloth=Cloth((level,) * 3)), face, plan, even).bgr.astype(float)
        for each in (flat, replace(flat, folds=groove))
    )
    # One flank of the groove gains what the other loses.
    changed = (hollow != plain) & (plain > 20)
    assert least < 1 - (hollow[changed] / plain[changed]).mean() < most


def test_an_edge_stands_out_where_a_fold_runs_into_it():
    face, plan, fold = mean_face(), worn(), np.array([[0.2, 0.7, 0.0, 0.12, 1.5, 0.15]])
    garment = dress(load_template("surgical_blue"), plan, face.eye_distance)
    flat = smooth(garment, pleats())
    plain, folded = (
        in_image(drape(bare(garment, relief=each), face, plan, LIGHT), face) > 127
        for each in (flat, replace(flat, folds=fold))
    )
    rows, columns = np.nonzero(folded & ~plain)
    # The fold runs to the right edge, between nose and chin.
    (_, nose), (_, chin) = face.anchor("nose_tip"), face.anchor("chin")
    assert len(rows) > 8 and columns.min() > 250 and nose < rows.min() < rows.max() < chin
    assert not (plain & ~folded).any()


# Material


@pytest.mark.parametrize("fit", ["mesh", "half-split"])
@pytest.mark.parametrize("color", ["#c02020", "#20a040", "#2040c0", "#d0c020"])
def test_dress_takes_the_colour_of_the_plan(fit, color):
    bgr = np.array([int(color[i : i + 2], 16) for i in (5, 3, 1)], float)
    layer = laid(fit, "cloth_white", mean_face(), color=color)
    drawn = np.median(layer.bgr[layer.alpha == 255], axis=0)
    # The light is the face's: the colour's direction stays.
    assert drawn @ bgr > 0.98 * np.linalg.norm(drawn) * np.linalg.norm(bgr)


@pytest.mark.parametrize("pattern", ["stripes", "dots", "noise", "camouflage"])
def test_dress_takes_the_pattern_of_the_plan(pattern):
    plain, printed = (
        laid("mesh", "surgical_white", mean_face(), pattern=chosen) for chosen in (None, pattern)
    )
    assert np.array_equal(plain.alpha, printed.alpha)
    inside = cv2.erode(plain.alpha, np.ones((31, 31), np.uint8)) == 255
    assert (printed.bgr.astype(float) - plain.bgr)[inside].std(axis=0).max() > 12


def test_a_print_lies_upright_in_its_own_colours():
    """A tile that is red above and blue below, with its border at the height of the mouth."""
    face, plan = mean_face(), worn()
    garment = dress(load_template("surgical_white"), plan, face.eye_distance)
    tile = np.zeros((300, 8, 3), np.uint8)
    tile[:70], tile[70:] = (0, 0, 250), (250, 0, 0)
    layer = drape(bare(garment, cloth=Cloth((0, 0, 0), tile, (1.0, 3.0))), face, plan, LIGHT)
    colors = np.zeros((400, 400, 3), np.uint8)
    colors[layer.window] = layer.bgr
    (nose_x, nose_y), (chin_x, chin_y) = (
        np.round(face.anchor(name)).astype(int) for name in ("nose_tip", "chin")
    )
    for (blue, green, red), above in ((colors[nose_y, nose_x], True), (colors[chin_y - 8, chin_x], False)):
        assert green == 0 and (red > 60) == above and (blue > 60) != above


@pytest.mark.parametrize("pattern", ["noise", "checks", "floral_large"])
def test_a_print_keeps_its_size_in_centimetres_whatever_the_size_of_the_image(pattern):
    template, plan = load_template("cloth_white"), worn()
    plan = type(plan)(plan.template, plan.wear, None, pattern, plan.seed)
    cloths = [dress(template, plan, eye_distance).cloth for eye_distance in (40.0, 160.0)]
    assert cloths[0].tile_size == cloths[1].tile_size
    small, large = (cloth.tile for cloth in cloths)
    assert large.shape[1] == pytest.approx(4 * small.shape[1], abs=4)
    reduced = cv2.resize(large, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - small).mean() < 12
