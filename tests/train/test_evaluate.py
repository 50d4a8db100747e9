"""Evaluation: figures that scikit-learn confirms, groups, pairs, and nobody missing from a denominator."""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from sklearn import metrics as reference
from train_data import FACE, needs_train, row, write, write_masked

from maskgen.__main__ import main
from maskgen.errors import MissingDataError, UsageError
from maskgen.train.data.examples import Wanted
from maskgen.train.evaluate import check_columns, markdown, write_evaluation
from maskgen.train.judge import judge
from maskgen.train.judging.figures import figures
from maskgen.train.model.classifier import Classifier, model_names
from maskgen.train.plots import plot_confusion, plot_roc
from maskgen.train.run_folder import write_examples
from maskgen.train.spec import ModelSpec

pytestmark = needs_train

CLASSES = ("female", "male")
SPEC = ModelSpec(CLASSES, 32, "full", 0.25, None, None, "tiny-cnn")


def by_brightness(images):
    """Says male of bright images: a model that needs no tensorflow."""
    male = images.mean(axis=(1, 2, 3), dtype=np.float32) / 255
    return np.stack([1 - male, male], axis=1)


@pytest.fixture
def classifier(tmp_path):
    return Classifier("bright", tmp_path / "run" / "best.keras", SPEC, by_brightness)


@pytest.fixture
def data(tmp_path):
    """24 masked images and their twins; men are brighter, but for the last of each race."""
    rows, colors = [], {}
    for n in range(24):
        name, label = f"{n}.jpg", CLASSES[n % 2]
        race = ("Black", "White", "Asian")[n // 8]
        split = "validation" if n < 20 else "train"
        rows.append(
            row(
                *(name, label),
                unmasked_file=f"unmasked/{name}",
                identity=f"p{n}",
                split=split,
                attributes={"race": race},
            )
        )
        odd = n in (7, 14)
        colors[name] = (200, 200, 200) if (label == "male") != odd else (60, 60, 60)
    rows.append(row("x.jpg", status="unreadable", file_name=None, faces=(), split="validation"))
    folder = write_masked(tmp_path / "masked", rows, colors)
    (folder / "3.jpg").write_bytes(b"")
    return folder


def judged(classifier, data, **wanted):
    return judge([classifier], "set", data, Wanted(**wanted), progress=False)[0]


def test_the_validation_split_is_judged_where_there_is_no_test_and_what_cannot_be_read_is_counted(
    classifier, data
):
    found = figures(judged(classifier, data), ())
    assert (found["n"], found["dropped"]) == (19, 2)
    assert found["why_dropped"] == {"unreadable": 2}
    assert found["accuracy"] == pytest.approx(17 / 19)
    assert found["accuracy_of_all"] == pytest.approx(17 / 21)


def test_groups_and_pairs_are_told_beside_each_other(classifier, data):
    found = figures(judged(classifier, data, which="both"), ())
    race = found["by_group"]["race"]
    assert race["groups"]["Asian"]["accuracy"] == 1.0
    assert race["groups"]["White"]["accuracy"] == pytest.approx(7 / 8)
    worst = min(group["accuracy"] for group in race["groups"].values())
    assert race["difference"] == pytest.approx(1 - worst)
    assert {side: own["n"] for side, own in found["pairs"].items()} == {"masked": 19, "unmasked": 19}
    table = markdown([found])
    assert "pairs, masked" in table and "| Asian |" in table and "3 unreadable" in table


def test_figures_are_scikit_learns_on_the_predictions_file(classifier, data, tmp_path):
    of = judged(classifier, data)
    found = figures(of, ("race",))
    write_evaluation(tmp_path / "out", [found], [of])
    with (tmp_path / "out" / "bright on set" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    truth, said = [line["label"] for line in rows], [line["predicted"] for line in rows]
    assert found["accuracy"] == reference.accuracy_score(truth, said)
    assert found["f1"] == pytest.approx(reference.f1_score(truth, said, average="macro"))
    area = reference.roc_auc_score([name == "male" for name in truth], [float(r["p_male"]) for r in rows])
    assert found["roc_auc"] == pytest.approx(area)
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())[0]["n"] == 19
    with (tmp_path / "out" / "evaluation.csv").open() as file:
        groups = {(line["group"], line["value"]): line["n"] for line in csv.DictReader(file)}
    assert groups["all", ""] == "19" and groups["race", "Asian"] == "4"
    for name in ("evaluation.png", "roc.png"):
        assert cv2.imread(str(tmp_path / "out" / name)) is not None
    assert (tmp_path / "out" / "bright on set" / "dropped.csv").read_text().count("unreadable") == 2


def of_ages(classifier, folder, ages):
    rows = [row(f"{n}.jpg", attributes={"age": age}) for n, age in enumerate(ages)]
    return judged(classifier, write_masked(folder, rows))


@pytest.mark.parametrize(
    ("ages", "groups"),
    [
        ([*range(0, 103, 2), "unknown"], ["0-9", *(f"{n}-{n + 9}" for n in range(10, 110, 10)), "unknown"]),
        (range(0, 103, 2), ["0-9", *(f"{n}-{n + 9}" for n in range(10, 110, 10))]),
        ([30, 4, 100, 4], ["4", "30", "100"]),
        (["more than 70", "10-19", "3-9"], ["3-9", "10-19", "more than 70"]),
        (["(25, 32)", "(4, 6)"], ["(4, 6)", "(25, 32)"]),
    ],
    ids=["years and others", "years", "few years", "FairFace", "Adience"],
)
def test_ages_are_grouped_and_in_their_order(classifier, tmp_path, ages, groups):
    found = figures(of_ages(classifier, tmp_path / "m", ages), ())
    assert list(found["by_group"]["age"]["groups"]) == groups


def test_a_column_to_group_by_must_be_there_and_have_groups(classifier, data, caplog):
    of = judged(classifier, data)
    with pytest.raises(UsageError, match=r"--by shoes: no image of .* has it; they have .*race"):
        check_columns(["race", "shoes"], [data], "masked")
    with pytest.raises(UsageError, match="--by template"):
        check_columns(["template"], [data], "unmasked")
    check_columns(["race", "identity", "template"], [data], "both")
    assert figures(of, ["split", "shoes"])["by_group"] == {}
    assert "by split: all images that have it have validation" in caplog.text
    assert "by shoes: no image has it" in caplog.text


def test_a_wrong_column_is_told_before_any_model_is_opened(data, tmp_path, capsys):
    write(tmp_path / "m.keras", b"no zip")
    assert main(["evaluate", str(tmp_path / "m.keras"), "--on", f"a={data}", "--by", "shoes"]) == 2
    assert "--by shoes" in capsys.readouterr().err


def test_no_set_leads_out_of_the_folder_or_takes_the_place_of_another(classifier, data, tmp_path):
    of = judged(classifier, data)
    sets = [replace(of, of=name) for name in ("../../x", "..\\../x", "y")]
    found = [figures(each, ()) for each in sets]
    write_evaluation(tmp_path / "out", found, sets)
    folders = {path.parent.name for path in (tmp_path / "out").glob("*/predictions.csv")}
    assert folders == {"bright on .._.._x", "bright on .._.._x (2)", "bright on y"}


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (("a/first", "a/second"), ["first", "second"]),
        (("a/first/best.onnx", "a/second/best.onnx"), ["first-best", "second-best"]),
        (("a/first/best.onnx", "a/first/best.keras"), ["best.onnx", "best.keras"]),
        (("a/first", "b/first", "c.onnx"), ["a-first", "b-first", "c"]),
        (("a/Best.onnx", "b/best.onnx"), ["a-Best", "b-best"]),
        (("a/r/first", "b/r/first"), ["a-r-first", "b-r-first"]),
    ],
)
def test_no_two_models_have_the_same_name(tmp_path, models, names):
    paths = [tmp_path / name for name in models]
    for path in paths:
        if path.suffix:
            write(path, b"")
        else:
            write(path / "best.keras", b"")
    assert model_names(paths) == names


def test_a_model_is_compared_with_itself_by_no_name(tmp_path):
    file = write(tmp_path / "run" / "best.keras", b"")
    (tmp_path / "good.keras").symlink_to(file)
    assert model_names([tmp_path / "good.keras"]) == ["good"]
    for other in (file, tmp_path / "run", tmp_path / "good.keras"):
        with pytest.raises(UsageError, match="the same model; give it once"):
            model_names([file, other])


def test_tables_are_not_written_into_a_run(tmp_path, capsys):
    write(tmp_path / "run" / "run.json", b"{}")
    assert main(["evaluate", "m", "--on", "a=b", "--out", str(tmp_path / "run")]) == 2
    assert "holds a run" in capsys.readouterr().err


@pytest.mark.parametrize("count", [2, 20, 300])
def test_figures_of_many_classes_stay_small(tmp_path, count):
    names = [f"person {n}" for n in range(count)]
    counts = np.random.default_rng(0).integers(0, 9, (count, count))
    plot_confusion(tmp_path / "confusion.png", counts, names, "test")
    labels = np.arange(count, dtype=np.int32).repeat(2)
    probabilities = np.random.default_rng(0).random((2 * count, count), dtype=np.float32)
    plot_roc(tmp_path / "roc.png", {"test": (labels, probabilities)}, names)
    for name in ("confusion.png", "roc.png"):
        assert max(cv2.imread(str(tmp_path / name)).shape) <= 2100


def test_people_the_model_learnt_from_are_left_out_and_counted_apart(classifier, data):
    known = judged(classifier, data).examples
    (classifier.path.parent).mkdir()
    write_examples(
        classifier.path.parent / "examples.jsonl", [type(known[0])(**{**vars(known[0]), "split": "train"})]
    )
    found = figures(judged(classifier, data), ())
    assert (found["n"], found["dropped"]) == (18, 2)
    assert found["why_dropped"] == {"unreadable": 2, "seen in training": 1}


def test_a_class_the_model_does_not_know_is_no_error_of_it(classifier, tmp_path):
    data = write_masked(tmp_path / "m", [row("a.jpg", "female"), row("b.jpg", "other")])
    assert figures(judged(classifier, data), ())["why_dropped"] == {"class not trained": 1}
    with pytest.raises(MissingDataError, match="can be judged"):
        judged(classifier, write_masked(tmp_path / "n", [row("b.jpg", "other")]))


def test_the_model_is_shown_its_own_crop(tmp_path):
    seen = []

    def watch(images):
        seen.append(images)
        return by_brightness(images)

    spec = ModelSpec(CLASSES, 32, "face", 0.0, None, None, "tiny-cnn")
    data = write_masked(tmp_path / "m", [row("a.jpg")])
    picture = np.zeros((48, 48, 3), np.uint8)
    x, y, width, height = FACE.box
    picture[y : y + height, x - 3 : x - 3 + height] = 255
    cv2.imwrite(str(data / "a.jpg"), picture)
    judge([Classifier("watch", tmp_path / "m.keras", spec, watch)], "set", data, Wanted(), progress=False)
    assert seen[0].shape == (1, 32, 32, 3) and seen[0].min() > 200
    del width


def test_the_command_says_what_it_cannot_find(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path / "absent"), "--on", f"a={tmp_path}"]) == 2
    assert "neither a model" in capsys.readouterr().err
    (tmp_path / "m.keras").write_bytes(b"no zip")
    assert main(["evaluate", str(tmp_path / "m.keras"), "--on", f"a={tmp_path}"]) == 2
    assert "not a model that `maskgen train` wrote" in capsys.readouterr().err
