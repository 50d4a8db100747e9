"""How ``--template`` chooses: names, kinds, tones, paths, ``all`` and ``street``, with weights."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from maskgen.errors import UsageError
from maskgen.masking.templates.library import list_templates, load_template, resolve_selection, split_weight
from maskgen.masking.templates.street import STREET
from maskgen.records import TONES

SHIPPED = [info.name for info in list_templates()]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("surgical_blue", ("surgical_blue", 1.0)),
        ("surgical_blue=2", ("surgical_blue", 2.0)),
        ("a=b.png=0.5", ("a=b.png", 0.5)),
        ("n95=0", ("n95", 0.0)),
    ],
)
def test_a_weight_stands_after_the_last_equals_sign(token: str, expected: tuple[str, float]) -> None:
    assert split_weight(token) == expected


@pytest.mark.parametrize("token", ["n95=x", "n95=", "n95=-1", "n95=inf", "n95=nan"])
def test_a_weight_that_is_no_number_from_0_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="weight"):
        split_weight(token)


def test_a_kind_shares_its_weight_among_its_templates() -> None:
    chosen = resolve_selection(["surgical", "n95=3"])
    kinds = {info.name: info.kind for info in list_templates()}
    totals: dict[str, float] = {}
    for name, weight in chosen:
        totals[kinds[name]] = totals.get(kinds[name], 0.0) + weight
    assert totals == pytest.approx({"surgical": 1.0, "n95": 3.0})
    surgical = [weight for name, weight in chosen if kinds[name] == "surgical"]
    assert surgical == pytest.approx([1 / len(surgical)] * len(surgical))


@pytest.mark.parametrize("tone", TONES)
def test_a_tone_chooses_all_of_that_tone_and_nothing_else(tone: str) -> None:
    assert {name for name, _ in resolve_selection([tone])} == {
        info.name for info in list_templates() if info.tone == tone
    }


def test_all_chooses_every_template_once_and_evenly() -> None:
    chosen = resolve_selection(["all"])
    assert [name for name, _ in chosen] == SHIPPED
    assert [weight for _, weight in chosen] == pytest.approx([1 / len(SHIPPED)] * len(SHIPPED))


def test_street_divides_its_weight_as_photographs_of_streets_do() -> None:
    chosen = dict(resolve_selection(["street=2"]))
    assert set(chosen) == set(STREET) <= set(SHIPPED)
    assert sum(chosen.values()) == pytest.approx(2)
    kinds = {info.name: info.kind for info in list_templates()}
    shares = Counter[str]()
    for name, weight in chosen.items():
        shares[kinds[name]] += weight / 2
    expected = {"surgical": 0.46, "sponge": 0.15, "cloth": 0.22, "sports": 0.06, "gaiter": 0.03}
    for kind, share in expected.items():
        assert shares[kind] == pytest.approx(share, abs=0.015), kind
    assert shares["kn95"] + shares["n95"] + shares["ffp2"] == pytest.approx(0.08, abs=0.01)


def test_a_template_named_twice_adds_its_weights() -> None:
    assert resolve_selection(["surgical_blue", "surgical_blue=2"]) == [("surgical_blue", 3.0)]


@pytest.mark.parametrize("suffix", [".json", ".png", ".PNG"])
def test_a_path_is_that_of_the_description(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "own"
    assert resolve_selection([f"{path}{suffix}=2"]) == [(f"{path}.json", 2.0)]


@pytest.mark.parametrize(("word", "near"), [("surgcal_blue", "surgical_blue"), ("surgicel", "surgical")])
def test_an_unknown_word_is_answered_with_the_nearest(word: str, near: str) -> None:
    with pytest.raises(UsageError) as refused:
        resolve_selection([word])
    assert repr(word) in str(refused.value)
    assert near in str(refused.value)


def test_an_unknown_name_is_refused_by_load_too() -> None:
    with pytest.raises(UsageError, match="no template"):
        load_template("nonsense")
