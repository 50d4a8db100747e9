"""Learning works, nothing leaks, and a run that was killed comes to the same end."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_runs import masked, write_dataset
from train_data import needs_train, people, row, write_masked

from maskgen.__main__ import main
from maskgen.errors import MissingDataError
from maskgen.keras_runtime import seed_everything
from maskgen.train.data.augment import NONE
from maskgen.train.data.examples import Wanted
from maskgen.train.data.feed import Feed
from maskgen.train.data.gather import gather
from maskgen.train.data.splits import SplitOptions
from maskgen.train.loop import fit as fit_module
from maskgen.train.loop.fit import fit
from maskgen.train.model.load import load_model
from maskgen.train.options import TrainOptions
from maskgen.train.run_folder import read_record
from maskgen.train.session import train_run
from maskgen.train.spec import read_spec

pytestmark = needs_train

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("backbone", "size", "epochs"),
    [
        ("tiny-cnn", 64, 16),
        pytest.param(
            *("efficientnet_b0", 96, 24),
            marks=pytest.mark.skipif(
                "MASKGEN_SLOW" not in os.environ, reason="three minutes; set MASKGEN_SLOW=1 to run it"
            ),
        ),
    ],
)
def test_64_masked_faces_are_learnt_by_heart(tmp_path, backbone, size, epochs):
    masked(write_dataset(tmp_path / "faces", count=80), tmp_path / "masked")
    examples = gather([tmp_path / "masked"], Wanted(), progress=False).examples
    assert len(examples) == 64
    options = TrainOptions(
        data=("masked",),
        **{"backbone": backbone, "size": size, "weights": "none", "epochs": epochs, "batch_size": 16},
        **{"learning_rate": 2e-3, "augmentation": NONE, "dropout": 0.0, "patience": 0},
    )
    seed_everything(0, False)
    classes = ("female", "male")
    feed = Feed(examples, classes, size, 16)
    state = fit(tmp_path / "run", options, feed, feed, classes, progress=False)
    # Judged as it will be used: BatchNorm by its averages, no dropout.
    assert state.history[-1]["val_accuracy"] >= 0.95


def colored(folder, label_of):
    """40 people, each with a colour of their own in all of their images, from bluish to reddish."""
    rows = people(40, 4, label_of)
    shade = {f"p{person}": np.array((255 - 6 * person, 90, 6 * person)) for person in range(40)}
    return write_masked(folder, rows, {each.id: shade[each.identity] for each in rows})


def on_held_out_people(folder, out):
    options = TrainOptions(
        data=(str(folder),),
        split=SplitOptions(validation=0.1, test=0.4),
        **{"backbone": "tiny-cnn", "size": 32, "weights": "none", "epochs": 6, "batch_size": 16},
        **{"augmentation": NONE, "learning_rate": 3e-3},
    )
    ((_, found),) = train_run(out, options, progress=False)
    return found["test"]


def test_people_who_were_held_out_are_told_by_what_their_class_looks_like(tmp_path):
    folder = colored(tmp_path / "m", lambda person: "male" if person < 20 else "female")
    assert on_held_out_people(folder, tmp_path / "run")["accuracy"] > 0.85


def test_with_shuffled_labels_held_out_people_are_guessed_though_each_has_a_face_of_their_own(tmp_path):
    shuffled = np.random.default_rng(1).permutation(40)
    folder = colored(tmp_path / "m", lambda person: "male" if shuffled[person] < 20 else "female")
    found = on_held_out_people(folder, tmp_path / "run")
    # 16 people, and all four images of one are right or wrong together: three deviations of 0.125.
    assert abs(found["accuracy"] - 0.5) < 0.375


OPTIONS = (
    *("--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--batch-size", "8", "--head", "128"),
    *("--epochs", "2", "--fine-tune-epochs", "2", "--learning-rate", "0.003", "--deterministic", "-q"),
)

KILLED = """
import os, signal, sys
from maskgen.__main__ import main
from maskgen.errors import MissingDataError
from maskgen.train.loop import fit
if sys.argv[1] == "between epochs":
    original = fit.write_history
    def end(path, history):
        original(path, history)
        if len(history) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    fit.write_history = end
else:
    original = fit.write_progress
    def end(folder, state):
        if len(state.history) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        original(folder, state)
    fit.write_progress = end
main(sys.argv[2:])
"""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A whole run by the command line, over people with official splits: (folder of the data, run folder)."""
    desk = tmp_path_factory.mktemp("training")
    rows = [
        *people(6, 4, lambda person: ("female", "male")[person % 2], split="train"),
        *(row(f"v{n}.jpg", ("female", "male")[n % 2], split="validation") for n in range(8)),
        *(row(f"t{n}.jpg", ("female", "male")[n % 2], split="test") for n in range(8)),
        row("t9.jpg", split="test", status="no_face", file_name=None, faces=(), reason="no face"),
    ]
    data = write_masked(desk / "data", rows)
    (data / "t7.jpg").write_bytes(b"no image")
    assert main(["train", str(data), "--out", str(desk / "run"), "--preview", *OPTIONS]) == 0
    return data, desk / "run"


def killed(where, *arguments):
    program = [sys.executable, "-c", KILLED, where, *arguments]
    return subprocess.run(program, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False).returncode


def history(run):
    with (run / "history.csv").open() as file:
        return [
            {name: value for name, value in line.items() if not name.endswith("seconds")}
            for line in csv.DictReader(file)
        ]


def weights(path):
    return load_model(path).get_weights()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_killed_in_both_phases_and_resumed_it_comes_to_the_same_epochs_and_weights(unbroken, tmp_path):
    data, whole = unbroken
    run = tmp_path / "run"
    command = ("train", str(data), "--out", str(run), *OPTIONS)
    assert killed("between epochs", *command) == -signal.SIGKILL
    assert [line["phase"] for line in history(run)] == ["scratch"]
    assert killed("model written, state not", "train", "--resume", str(run), "-q") == -signal.SIGKILL
    assert [line["phase"] for line in history(run)] == ["scratch", "scratch", "fine-tune"]
    assert main(["train", "--resume", str(run), "-q"]) == 0
    assert history(run) == history(whole)
    for name in ("best.keras", "last.keras"):
        pairs = zip(weights(run / name), weights(whole / name), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs), name
    assert not (run / "checkpoint").exists()
    assert main(["train", "--resume", str(run), "-q"]) == 2, "a run that is done has nothing to resume"
    assert main(["train", "--resume", str(run), "--epochs", "1", "-q"]) == 0
    assert [line["phase"] for line in history(run)][-2:] == ["fine-tune", "more-1"]
    assert (run / "best.keras").is_file() and not (run / "checkpoint").exists()


def test_an_interrupted_training_says_how_it_goes_on(unbroken, tmp_path, monkeypatch, capsys):
    data, whole = unbroken
    run = tmp_path / "run"
    written = fit_module.write_history

    def interrupt(path, epochs):
        written(path, epochs)
        if len(epochs) == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fit_module, "write_history", interrupt)
        assert main(["train", str(data), "--out", str(run), *OPTIONS]) == 130
    assert f"maskgen train --resume {run}" in capsys.readouterr().err
    assert main(["train", "--resume", str(run), "-q"]) == 0
    assert history(run) == history(whole)


@pytest.mark.parametrize(("split", "broken"), [("train", None), ("test", b"no image")])
def test_a_picture_lost_while_a_run_trains_is_named_and_put_back_the_run_goes_on(
    unbroken, split, broken, tmp_path, monkeypatch
):
    data, whole = unbroken
    shutil.copytree(data, tmp_path / "data")
    run = tmp_path / "run"
    options = replace(
        read_record(whole).options, data=(str(tmp_path / "data"),), epochs=2, fine_tune_epochs=0
    )
    examples = gather([tmp_path / "data"], options.wanted, progress=False).examples
    path = next(example.path for example in examples if example.split == split)
    content = path.read_bytes()

    written = fit_module.write_history

    def lose(history, epochs):
        written(history, epochs)
        if epochs:
            path.unlink() if broken is None else path.write_bytes(broken)

    with monkeypatch.context() as patched:
        patched.setattr(fit_module, "write_history", lose)
        with pytest.raises(MissingDataError, match=f"{re.escape(str(path))}: .*--resume"):
            list(train_run(run, options, progress=False))
    path.write_bytes(content)
    assert main(["train", "--resume", str(run), "-q"]) == 0
    assert len(history(run)) == 2


def test_a_run_folder_has_all_that_is_needed_to_judge_and_to_repeat_it(unbroken):
    _, run = unbroken
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["test"]["n"], metrics["test"]["dropped"]) == (7, 2)
    assert metrics["dropped"] == {"no_face": 1, "unreadable": 1}
    record = json.loads((run / "run.json").read_text())
    assert record["counts"]["train"] == {"female": 12, "male": 12}
    assert {"tensorflow", "numpy", "maskgen"} <= set(record["versions"])
    assert [line["phase"] for line in history(run)] == ["scratch"] * 2 + ["fine-tune"] * 2
    for picture in ("curves.png", "confusion.png", "roc.png", "reliability.png", "preview.png"):
        assert Image.open(run / picture).width > 100
    assert json.loads((run / "labels.json").read_text()) == {"female": 0, "male": 1}
    spec = read_spec(run / "best.keras")
    assert (spec.classes, spec.size, spec.outer_threshold) == (("female", "male"), 32, None)
    calibration = metrics["calibration"]
    assert set(calibration["best.keras"]) == {"threshold", "temperature", "threshold_interval"}
    assert set(calibration["ece_before"]) == set(calibration["ece_after"]) == {"validation", "test"}
    assert calibration["ece_after"]["test"] == pytest.approx(metrics["test"]["ece"])
    card = (run / "README.md").read_text()
    assert card.startswith("---\n") and f"{metrics['test']['accuracy']:.2%}" in card and "no_face: 1" in card


def test_the_figures_can_be_computed_again_from_the_predictions(unbroken):
    _, run = unbroken
    metrics = json.loads((run / "metrics.json").read_text())
    with (run / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    for split, count in (("validation", 8), ("test", 7)):
        own = [line for line in rows if line["split"] == split]
        assert len(own) == count
        right = sum(line["label"] == line["predicted"] for line in own)
        assert right / count == pytest.approx(metrics[split]["accuracy"])
    for line in rows:
        said = "male" if float(line["p_male"]) > 0.5 else "female"
        assert line["predicted"] == said


def test_a_run_is_neither_overwritten_nor_mixed_with_other_files_unasked(unbroken, tmp_path, capsys):
    data, run = unbroken
    assert main(["train", str(data), "--out", str(run), *OPTIONS]) == 2
    assert "--resume" in capsys.readouterr().err
    (tmp_path / "letter.txt").write_text("dear")
    assert main(["train", str(data), "--out", str(tmp_path), *OPTIONS]) == 2
    assert "not empty" in capsys.readouterr().err
