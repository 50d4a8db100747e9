"""Runs over real photographs: a row for every input and variant, true labels, and how many are masked."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
import skimage.data
from real_runs import rows_of, run_maskgen

# Set -> the run of it, shared with the tests of placement where they have one: group, variants, options.
MESH = ("--template", "surgical_blue", "--fit", "mesh")
RUNS = {
    "celeba": ("mesh-lfw-utkface-celeba", 1, MESH),
    "lfw": ("mesh-lfw-utkface-celeba", 1, MESH),
    "utkface": ("mesh-lfw-utkface-celeba", 1, MESH),
    "fairface": ("rows", 1, MESH),
    "aflw2000": ("mesh-fairface-aflw2000", 1, MESH),
    "adience": ("rows", 2, ("--variants", "2")),
    "widerface": ("rows", 2, ("--variants", "2")),
    "in_the_wild": ("rows", 2, ("--variants", "2")),
}
COUNTS = {"celeba": 100, "lfw": 104, "adience": 42, "utkface": 120, "fairface": 219, "widerface": 30}
COUNTS |= {"in_the_wild": 30, "aflw2000": 16}


@pytest.fixture(scope="module")
def rows(synth):
    """Name of a set -> its run's rows."""

    def read(name):
        group, _, options = RUNS[name]
        return rows_of(synth(group, name, *options))

    return read


@pytest.mark.parametrize("name", COUNTS)
def test_one_row_for_each_input_and_variant(rows, name):
    keys = Counter((row["id"], row["variant"]) for row in rows(name))
    assert set(keys.values()) == {1}
    assert Counter(variant for _, variant in keys) == dict.fromkeys(range(RUNS[name][1]), COUNTS[name])
    statuses = {"masked", "no_face", "already_masked", "unsure", "too_small"}
    assert {row["status"] for row in rows(name)} <= statuses


@pytest.mark.parametrize(
    ("name", "split", "found", "at_least"),
    [
        ("celeba", "train", 100, 100),
        ("lfw", None, 104, 104),
        ("adience", None, 42, 42),
        ("utkface", None, 120, 120),
        ("fairface", "train", 98, 90),
        ("fairface", "validation", 105, 90),
        ("in_the_wild", None, 30, 30),
        ("aflw2000", None, 16, 16),
    ],
)
def test_nearly_every_face_is_masked(rows, name, split, found, at_least):
    """The rest of FairFace's faces are profiles whose landmarks do not look right."""
    statuses = Counter(row["status"] for row in rows(name) if row["variant"] == 0 and row["split"] == split)
    assert statuses["masked"] >= at_least
    assert statuses["masked"] + statuses["unsure"] + statuses["already_masked"] >= found


def test_genders_of_celeba_are_those_of_its_file(rows, photographs):
    lines = (photographs / "celeba/list_attr_celeba.txt").read_text().splitlines()
    male = lines[1].split().index("Male") + 1
    told = {cells[0]: ("female", "male")[cells[male] == "1"] for cells in map(str.split, lines[2:]) if cells}
    labels = {row["id"]: row["label"] for row in rows("celeba")}
    assert labels == {name: told[Path(name).name] for name in labels}
    assert set(labels.values()) == {"female", "male"}


def test_genders_of_lfw_are_those_of_its_lists(rows, photographs):
    lists = {g: set((photographs / f"lfw/{g}_names.txt").read_text().split()) for g in ("male", "female")}
    labels = {Path(row["id"]).name: row["label"] for row in rows("lfw")}
    for name, label in labels.items():
        told = {gender for gender, names in lists.items() if name in names}
        assert label in told if told else label is None, name
    assert Counter(labels.values()).keys() >= {"male", "female"}


def test_utkface_names_without_a_gender_stay_unlabelled(rows):
    for row in rows("utkface"):
        fields = Path(row["id"]).name.split(".")[0].split("_")
        expected = {"0": "male", "1": "female"}[fields[1]] if len(fields) == 4 else None
        assert row["label"] == expected, row["id"]
    assert sum(row["label"] is None for row in rows("utkface")) == 3


def test_what_shows_no_face_is_not_masked(photographs, tmp_path):
    """scikit-image's sample images without a face: coins, a cat, a rocket, text, textures."""
    root = tmp_path / "pictures"
    root.mkdir()
    # The two that show a person.
    people = ("astronaut", "camera")
    for path in sorted(Path(skimage.data.__file__).parent.iterdir()):
        if path.suffix in (".png", ".jpg") and path.stem not in people:
            shutil.copy(path, root)
    run_maskgen("synth", "--dataset", "folder", "--root", root, "--out", tmp_path / "out", "-q")
    statuses = {row["id"]: row["status"] for row in rows_of(tmp_path / "out")}
    assert len(statuses) >= 20
    assert set(statuses.values()) == {"no_face"}, statuses


def test_workers_and_shards_leave_the_same_bytes(photographs, tmp_path):
    """The landmark model itself, eight templates, two wears, Poisson blending."""
    fixed = ("synth", "--dataset", "utkface", "--root", photographs / "utkface", "--limit", 18)
    fixed += ("--shard-size", 3, "--template", "surgical", "--wear", "correct", "--wear", "nose-out")
    fixed += ("--blend", "poisson", "--alpha", "--pairs", "-q", "--out")
    run_maskgen(*fixed, tmp_path / "one", "-j", 1)
    run_maskgen(*fixed, tmp_path / "two", "-j", 2)
    for share in ("1/3", "2/3", "3/3"):
        run_maskgen(*fixed, tmp_path / "shares", "--shard", share)
    run_maskgen("merge", tmp_path / "shares", "-q")
    trees = [tree(tmp_path / name) for name in ("one", "two", "shares")]
    assert len(trees[0]) >= 54
    for other in trees[1:]:
        assert other.keys() == trees[0].keys()
        assert [name for name in other if other[name] != trees[0][name]] == []


def tree(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
