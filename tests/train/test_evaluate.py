"""Evaluation: figures that scikit-learn confirms, groups, pairs, and nobody missing from a denominator."""

import csv
import json

import cv2
import numpy as np
import pytest
from sklearn import metrics as reference
from train_data import FACE, needs_train, row, write_masked

from maskgen.__main__ import main
from maskgen.errors import MissingDataError
from maskgen.train.classifier import Classifier
from maskgen.train.evaluate import figures, markdown, write_evaluation
from maskgen.train.examples import Wanted
from maskgen.train.judge import judge
from maskgen.train.run_folder import write_examples
from maskgen.train.spec import ModelSpec

pytestmark = needs_train

CLASSES = ("female", "male")
SPEC = ModelSpec(CLASSES, 32, "full", 0.25, 0.5, None, "tiny-cnn")


def by_brightness(images):
    """Says male of bright pictures: a model that needs no tensorflow."""
    male = images.mean(axis=(1, 2, 3), dtype=np.float32) / 255
    return np.stack([1 - male, male], axis=1)


@pytest.fixture
def classifier(tmp_path):
    return Classifier("bright", tmp_path / "run" / "best.keras", SPEC, by_brightness)


@pytest.fixture
def data(tmp_path):
    """24 masked pictures and their twins; men are brighter, but for the last of each race."""
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
    return judge(classifier, "set", data, Wanted(**wanted), progress=False)


def test_the_validation_split_is_judged_where_there_is_no_test_and_what_cannot_be_read_is_counted(
    classifier, data
):
    found = figures(judged(classifier, data), CLASSES, 0.5, ())
    assert (found["n"], found["dropped"]) == (19, 2)
    assert found["why_dropped"] == {"unreadable": 2}
    assert found["accuracy"] == pytest.approx(17 / 19)
    assert found["accuracy_of_all"] == pytest.approx(17 / 21)


def test_groups_and_pairs_are_told_beside_each_other(classifier, data):
    found = figures(judged(classifier, data, which="both"), CLASSES, 0.5, ())
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
    found = figures(of, CLASSES, 0.5, ("race",))
    write_evaluation(tmp_path / "out", [found], [of], [CLASSES])
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


def test_people_the_model_learnt_from_are_left_out_and_counted_apart(classifier, data):
    known = judged(classifier, data).examples
    (classifier.path.parent).mkdir()
    write_examples(
        classifier.path.parent / "examples.jsonl", [type(known[0])(**{**vars(known[0]), "split": "train"})]
    )
    found = figures(judged(classifier, data), CLASSES, 0.5, ())
    assert (found["n"], found["dropped"]) == (18, 2)
    assert found["why_dropped"] == {"unreadable": 2, "seen in training": 1}


def test_a_class_the_model_does_not_know_is_no_error_of_it(classifier, tmp_path):
    data = write_masked(tmp_path / "m", [row("a.jpg", "female"), row("b.jpg", "other")])
    assert figures(judged(classifier, data), CLASSES, 0.5, ())["why_dropped"] == {"class not trained": 1}
    with pytest.raises(MissingDataError, match="can be judged"):
        judged(classifier, write_masked(tmp_path / "n", [row("b.jpg", "other")]))


def test_the_model_is_shown_its_own_crop(tmp_path):
    seen = []

    def watch(images):
        seen.append(images)
        return by_brightness(images)

    spec = ModelSpec(CLASSES, 32, "face", 0.0, 0.5, None, "tiny-cnn")
    data = write_masked(tmp_path / "m", [row("a.jpg")])
    picture = np.zeros((48, 48, 3), np.uint8)
    x, y, width, height = FACE.box
    picture[y : y + height, x - 3 : x - 3 + height] = 255
    cv2.imwrite(str(data / "a.jpg"), picture)
    judge(Classifier("watch", tmp_path / "m.keras", spec, watch), "set", data, Wanted(), progress=False)
    assert seen[0].shape == (1, 32, 32, 3) and seen[0].min() > 200
    del width


def test_the_command_says_what_it_cannot_find(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path / "absent"), "--on", f"a={tmp_path}"]) == 2
    assert "neither a model" in capsys.readouterr().err
    (tmp_path / "m.keras").write_bytes(b"no zip")
    assert main(["evaluate", str(tmp_path / "m.keras"), "--on", f"a={tmp_path}"]) == 2
    assert "not a model that `maskgen train` wrote" in capsys.readouterr().err
