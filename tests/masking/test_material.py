"""Materials: the JSON of a template's cloth, the colours it names, and one mask's draw from them."""

from collections import Counter

import cv2
import numpy as np
import pytest

from maskgen.errors import TemplateError, UsageError
from maskgen.masking.hash_random import draw_array
from maskgen.masking.materials.colors import COLORS, draw_color
from maskgen.masking.materials.material import draw_fabric, parse_material


def lab(colors):
    bgr = np.array(colors, np.float32)[None] / 255
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab)[0]


@pytest.mark.parametrize("name", sorted(COLORS))
def test_a_colour_is_a_distribution(name):
    drawn = lab([draw_color(name, seed) for seed in range(60)])
    mean, spread = (np.array(part) for part in COLORS[name])
    assert np.abs(drawn.mean(axis=0) - mean).max() < 4.5
    assert (drawn.std(axis=0) < 1.6 * spread + 0.8).all()
    assert len({draw_color(name, seed) for seed in range(20)}) > 10


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("white", (86, -3, -4), (97, 3, 5)),
        ("black", (4, -4, -6), (24, 4, 5)),
        ("surgical_blue", (68, -13, -25), (90, 3, -3)),
    ],
)
def test_the_commonest_colours_stay_what_they_are(name, least, most):
    drawn = lab([draw_color(name, seed) for seed in range(200)])
    assert (drawn >= np.array(least)).all() and (drawn <= np.array(most)).all()


def test_a_colour_may_be_given_as_numbers_and_is_met_but_for_the_dye():
    drawn = np.array([draw_color("#8090a0", seed) for seed in range(30)])
    assert np.abs(drawn - (0xA0, 0x90, 0x80)).max() <= 16
    assert len({tuple(color) for color in drawn.tolist()}) > 10


@pytest.mark.parametrize("name", ["bleu", "#12", "#12345g", ""])
def test_an_unknown_colour_is_refused(name):
    with pytest.raises(UsageError, match="colour must be #rrggbb or one of white, "):
        draw_color(name, 0)


def test_a_material_of_plain_names():
    material = parse_material({"color": "black", "weave": "cotton"}, "x.json")
    fabric = draw_fabric(material, 7)
    assert fabric.weave == "cotton"
    assert fabric.print is None and fabric.palette is None and fabric.mark is None and fabric.valve is None
    assert fabric.binding == fabric.loops == fabric.color == draw_color("black", 7)
    assert fabric.sheen == 0
    assert draw_fabric(material, 7) == fabric != draw_fabric(material, 8)


def test_a_material_with_choices_is_drawn_by_their_weights():
    spec = {
        "color": {"black": 3, "#203050": 1},
        "weave": "knit",
        "mark": {"none": 1, "logo": 1},
        "sheen": [0.1, 0.3],
        "binding": "white",
        "valve": {"none": 1, "same": 1, "red": 1},
    }
    fabrics = [draw_fabric(parse_material(spec, "x.json"), seed) for seed in range(300)]
    marks = Counter(fabric.mark for fabric in fabrics)
    assert set(marks) == {None, "logo"} and 110 < marks["logo"] < 190
    blue = sum(fabric.color[0] > fabric.color[2] + 20 for fabric in fabrics)
    assert 45 < blue < 110
    sheens = [fabric.sheen for fabric in fabrics]
    assert min(sheens) >= 0.1 and max(sheens) <= 0.3 and np.std(sheens) > 0.04
    assert all(min(fabric.binding) > 200 for fabric in fabrics)
    valves = Counter(
        "none" if fabric.valve is None else "same" if fabric.valve == fabric.color else "red"
        for fabric in fabrics
    )
    assert all(70 < valves[name] < 130 for name in ("none", "same", "red"))


def test_a_printed_cloth_has_the_colour_of_its_print_s_ground():
    spec = {"color": "white", "weave": "cotton", "print": "plaid", "binding": "off_white", "mark": None}
    fabric = draw_fabric(parse_material(spec, "x.json"), 3)
    assert fabric.print == "plaid" and fabric.palette is not None
    assert fabric.color == fabric.loops == fabric.palette.ground
    assert min(fabric.binding) > 180


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (3, "material must be an object, got 3"),
        ({"color": "black"}, "material lacks weave"),
        ({}, "material lacks color and weave"),
        (
            {"color": "blak", "weave": "knit"},
            r"material.color can't be 'blak'; #rrggbb, did you mean 'black'\?",
        ),
        ({"color": None, "weave": "knit"}, "material.color can't be None"),
        ({"color": ["black"], "weave": "knit"}, r"material.color can't be \['black'\]"),
        ({"color": "none", "weave": "knit"}, "material.color can't be 'none'"),
        ({"color": "#12345", "weave": "knit"}, "material.color can't be '#12345'"),
        ({"color": "black", "weave": "knit", "loops": "none"}, "material.loops can't be 'none'"),
        ({"color": "black", "weave": "knit", "valve": ["grey"]}, r"material.valve can't be \['grey'\]"),
        ({"color": "black", "weave": "silk"}, "material.weave can't be 'silk'; .*cotton"),
        ({"color": "black", "weave": "knit", "print": "plad"}, "did you mean 'plaid'"),
        ({"color": "black", "weave": "knit", "mark": "lgo"}, "did you mean 'logo'"),
        ({"color": "black", "weave": "knit", "shen": 1}, r"no field 'shen'; did you mean 'sheen'\?"),
        (
            {"color": {"black": -1}, "weave": "knit"},
            "weight of material.color.black must be 0 or more, got -1",
        ),
        ({"color": {"black": True}, "weave": "knit"}, "weight of material.color.black"),
        ({"color": {"black": 0}, "weave": "knit"}, "needs a name with a weight above 0"),
        ({"color": {}, "weave": "knit"}, "needs a name with a weight above 0"),
        ({"color": "black", "weave": "knit", "sheen": 1.2}, "material.sheen must be a number from 0 to 1"),
        ({"color": "black", "weave": "knit", "sheen": [0.3, 0.1]}, "material.sheen must be a number"),
        ({"color": "black", "weave": "knit", "sheen": "shiny"}, "material.sheen must be a number"),
        ({"color": "black", "weave": "knit", "sheen": [0.1]}, r"or \[low, high\], got \[0.1\]"),
    ],
)
def test_a_bad_material_is_refused_by_name(spec, message):
    with pytest.raises(TemplateError, match=f"^x.json: .*{message}"):
        parse_material(spec, "x.json")


def test_an_array_of_draws_is_uniform_and_never_changes_between_versions():
    values = draw_array(4000, 0, "a")
    assert values.dtype == np.float32 and values.min() >= 0 and values.max() < 1
    assert np.histogram(values, 10, (0, 1))[0].min() > 320
    assert draw_array(3, 7, "wear").tolist() == draw_array(9, 7, "wear").tolist()[:3]
    assert round(float(draw_array(1, 7, "wear")[0]), 6) == 0.390252
