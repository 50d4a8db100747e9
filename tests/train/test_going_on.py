"""Training further: a head is taken over where the classes agree, and a run can be extended."""

import csv

import numpy as np
import pytest
from train_data import needs_train, people, write_masked

from maskgen.__main__ import main
from maskgen.errors import UsageError
from maskgen.train.loop.fit import new_model
from maskgen.train.model.build import build_model
from maskgen.train.model.load import load_model
from maskgen.train.options import TrainOptions
from maskgen.train.session import extend_run
from maskgen.train.spec import ModelSpec, embed_spec

pytestmark = needs_train

CLASSES = ("female", "male")


@pytest.fixture
def trained(tmp_path):
    """A model file as `maskgen train` writes it."""
    path = tmp_path / "best.keras"
    build_model("tiny-cnn", 2, size=32, head="128", weights="none").save(path)
    embed_spec(path, ModelSpec(CLASSES, 32, "full", 0.25, None, None, "tiny-cnn"))
    return path


@pytest.mark.parametrize(
    ("classes", "head", "same"),
    [
        (CLASSES, "128", True),
        (("male", "female"), "128", False),
        (("no", "yes"), "128", False),
        (("a", "b", "c"), "128", False),
        (CLASSES, "linear", False),
    ],
)
def test_the_head_is_taken_over_if_it_is_for_the_same_classes(trained, classes, head, same):
    options = TrainOptions(("data",), backbone="tiny-cnn", head=head, size=32, weights=str(trained))
    model, source = new_model(options, classes), load_model(trained)
    equal = {
        name: model.get_layer(name).get_weights()[0].shape == source.get_layer(name).get_weights()[0].shape
        and np.array_equal(model.get_layer(name).get_weights()[0], source.get_layer(name).get_weights()[0])
        for name in ("block1_conv", "classes")
    }
    assert equal == {"block1_conv": True, "classes": same}


def test_a_model_of_seven_classes_is_extended_twice(tmp_path, capsys):
    names = [f"class {number}" for number in range(7)]
    rows = people(28, 2, lambda person: names[person % 7])
    data, run = write_masked(tmp_path / "data", rows), tmp_path / "run"
    small = ("--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--epochs", "1")
    share = ("--validation", "0.3", "--test", "0", "--batch-size", "8")
    assert main(["train", str(data), "--out", str(run), *small, *share, "-q"]) == 0
    for _ in range(2):
        assert main(["train", "--resume", str(run), "--epochs", "1", "-q"]) == 0
    with (run / "history.csv").open() as file:
        assert [line["phase"] for line in csv.DictReader(file)] == ["scratch", "more-1", "more-2"]
    assert load_model(run / "best.keras").output_shape == (None, 7)
    capsys.readouterr()
    assert main(["train", "--resume", str(run), "-q"]) == 2
    assert "--epochs N trains N more" in capsys.readouterr().err
    with pytest.raises(UsageError, match="at least 1"):
        extend_run(run, 0)
