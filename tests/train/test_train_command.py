"""`maskgen train` and `maskgen split` as a shell sees them, without training anything."""

import csv
import hashlib
import json
import sys

import pytest
from train_data import jpeg, needs_train, people, row, write, write_masked

from maskgen.__main__ import main

pytestmark = needs_train

SOURCE = {"dataset": "celeba", "path": "x.jpg", "sha256": "5" * 64}


def rest():
    """People who are where they belong."""
    splits = ("train", "train", "validation", "test")
    return [
        row(f"{n}.jpg", ("female", "male")[n // 4 % 2], identity=f"p{n}", split=splits[n % 4])
        for n in range(16)
    ]


def same_person():
    return [*rest(), row("z.jpg", identity="p1", split="test")]


def same_picture_under_two_names():
    return [*rest(), *(row(f"{split}.jpg", split=split, source=SOURCE) for split in ("train", "test"))]


def two_variants_of_a_picture():
    return [*rest(), row("a.jpg", split="train"), row("a.jpg", split="test", variant=1, file_name="b.jpg")]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (same_person, "person "),
        (same_picture_under_two_names, "duplicate 555"),
        (two_variants_of_a_picture, "source image "),
    ],
)
def test_a_planted_leak_fails_the_check_and_the_training_and_is_named(rows, said, tmp_path, capsys):
    data = write_masked(tmp_path / "set", rows())
    assert main(["split", str(data), "--check", "-q"]) == 1
    err = capsys.readouterr().err
    assert said in err and "(test)" in err and "(train)" in err
    assert main(["train", str(data), "--out", str(tmp_path / "run"), "-q"]) == 1
    assert said in capsys.readouterr().err
    assert not any((tmp_path / "run").iterdir())


def test_the_unmasked_source_of_a_masked_picture_is_recognised_in_another_dataset(tmp_path, capsys):
    original = jpeg(1)
    source = {"dataset": "celeba", "path": "1.jpg", "sha256": hashlib.sha256(original).hexdigest()}
    data = write_masked(
        tmp_path / "masked",
        [*people(4, 2, lambda p: "male", "train"), row("1.jpg", split="train", source=source)],
    )
    for place, name in enumerate(("male/2.jpg", "female/3.jpg")):
        write(tmp_path / "photos" / "test" / name, jpeg(50 + place))
    write(tmp_path / "photos" / "test" / "female" / "holiday.jpg", original)
    assert main(["split", str(data), str(tmp_path / "photos"), "--check", "-q"]) == 1
    assert "photos/test/female/holiday.jpg (test)" in capsys.readouterr().err


def test_a_clean_split_passes_is_told_and_written(tmp_path, capsys):
    data = write_masked(tmp_path / "set", people(30, 2, lambda p: ("female", "male")[p % 2]))
    assert main(["split", str(data), "--check", "--json", "--out", str(tmp_path / "split.csv")]) == 0
    out, err = capsys.readouterr()
    counts = json.loads(out)["counts"]
    assert sum(sum(labels.values()) for labels in counts.values()) == 60
    assert "no person, source image or duplicate" in err
    with (tmp_path / "split.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 60


def test_folds_are_checked_against_each_other(tmp_path, capsys):
    rows = [row(f"{n}.jpg", identity=f"{n % 7}", attributes={"fold": n % 2}) for n in range(14)]
    data = write_masked(tmp_path / "set", rows)
    assert main(["split", str(data), "--folds", "--check", "-q"]) == 1
    assert "(fold 0)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--backbone", "vgg"], "'vgg' is not one of"),
        (["--label", "wear"], "two classes are needed"),
        (["--unmasked"], "--pairs"),
        (["--fold", "3"], "the data have no folds"),
        (["--resume", "absent"], "holds no run"),
        (["--limit-per-class", "0"], "not in the range"),
        (["--epochs", "0", "--weights", "none"], "no epoch to train"),
        (["--fold", "1", "--folds"], "--fold for one fold, or --folds"),
        (["--weights", "."], "neither a model nor the folder of a run"),
        (["--resume", "runs/x", "--epochs", "3"], "holds no run"),
        (["--resume", "runs/x", "--batch-size", "3"], "leave out --batch-size"),
        (["--resume", "runs/x", "masked/set"], "leave out DATA"),
        (["--resume", "runs/x", "--both"], "leave out --masked/--unmasked/--both"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(arguments, said, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    write_masked(tmp_path / "masked" / "set", people(30, 1, lambda p: ("female", "male")[p % 2]))
    assert main(["train", "-q", *arguments]) == 2
    assert said in capfd.readouterr().err


@pytest.mark.parametrize("name", ["ma\x1b[2Jle", "ma\nle", "m" * 1001])
def test_a_class_that_no_model_can_name_is_refused_before_the_training(name, tmp_path, capsys):
    data = write_masked(tmp_path / "set", people(30, 1, lambda p: ("female", name)[p % 2]))
    assert main(["train", str(data), "--out", str(tmp_path / "run"), "-q"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{name[:50]!r} cannot be named in a model" in line
    assert not (tmp_path / "run" / "run.json").exists()


def tree(folder, splits):
    """Four images for each class of each split; the same number gives the same image."""
    for split, classes in splits.items():
        for name, first in classes.items():
            for n in range(first, first + 4):
                write(folder / split / name / f"{n}.jpg", jpeg(n))
    return folder


@pytest.mark.parametrize(
    ("splits", "more", "lacking"),
    [
        ({"train": {"f": 0, "m": 4}, "val": {"woman": 8}, "test": {"f": 12}}, [], "validation"),
        ({"train": {"f": 0, "m": 4}, "val": {"f": 8}, "test": {"f": 8}}, ["--drop-leaks"], "validation"),
        (
            {"train": {"f": 0, "m": 4}, "val": {"f": 8}, "test": {"f": 4}},
            ["--drop-leaks"],
            "class m",
        ),
    ],
)
def test_what_is_empty_once_all_is_left_out_is_named(splits, more, lacking, tmp_path, capsys):
    data = tree(tmp_path / "data", splits)
    assert main(["train", str(data), "--out", str(tmp_path / "run"), "-q", *more]) == 2
    assert f"no example is left for {lacking}" in capsys.readouterr().err


def test_a_run_that_could_not_begin_leaves_its_folder_free(tmp_path, capsys):
    data = tree(tmp_path / "data", {"train": {"f": 0, "m": 4}, "val": {"f": 8, "m": 12}})
    run = tmp_path / "run"
    command = ["train", str(data), "--out", str(run), "--backbone", "tiny-cnn", "--epochs", "1", "-q"]
    assert main([*command, "--preview"]) == 2
    assert "no ImageNet weights" in capsys.readouterr().err
    assert not run.exists()


def test_without_tensorflow_the_command_that_installs_it_is_said(tmp_path, monkeypatch, capsys):
    data = write_masked(tmp_path / "set", [row("a.jpg")])
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setitem(sys.modules, "keras", None)
    for arguments in (["train", str(data)], ["train", "--resume", str(tmp_path)]):
        assert main(arguments) == 2
        assert "pip install 'maskgen[train]'" in capsys.readouterr().err
