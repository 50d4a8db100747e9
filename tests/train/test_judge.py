"""Which images of a set a model is asked about."""

from dataclasses import replace

import numpy as np
import pytest
from train_data import jpeg, row, write, write_masked

from maskgen.errors import MissingDataError
from maskgen.train import judge as judge_module
from maskgen.train.data import gather as gather_module
from maskgen.train.data.examples import Wanted
from maskgen.train.judge import judge
from maskgen.train.model.classifier import Classifier
from maskgen.train.spec import ModelSpec

CLASSES = ("female", "male")


@pytest.fixture
def classifier(tmp_path):
    """Learnt the column gender, and says the same of everything; it needs no tensorflow."""
    spec = ModelSpec(CLASSES, 32, "full", 0.25, None, "gender", "tiny-cnn")
    return Classifier("m", tmp_path / "run" / "best.keras", spec, lambda x: np.full((len(x), 2), 0.5))


def masked(folder, splits):
    rows = [
        row(f"{n}.jpg", split=split, attributes={"gender": CLASSES[n % 2]}) for n, split in enumerate(splits)
    ]
    return write_masked(folder, rows)


@pytest.mark.parametrize(
    ("splits", "split", "judged"),
    [
        (("train", "validation", "test"), "test", ["2.jpg"]),
        (("train", "validation", "validation"), "test", ["1.jpg", "2.jpg"]),
        (("validation", "validation"), "test", ["0.jpg", "1.jpg"]),
        ((None, None), "test", ["0.jpg", "1.jpg"]),
        (("train", "validation"), "all", ["0.jpg", "1.jpg"]),
        (("train", "validation"), "train", ["0.jpg"]),
    ],
)
def test_the_test_split_or_what_stands_for_it_is_judged(classifier, tmp_path, splits, split, judged):
    (found,) = judge([classifier], "x", masked(tmp_path / "s", splits), Wanted(), split, progress=False)
    assert [each.id.removeprefix("s/") for each in found.examples] == judged


def test_a_split_that_a_set_does_not_have_is_named_with_those_it_has(classifier, tmp_path):
    data = masked(tmp_path / "s", ("train", "train"))
    with pytest.raises(MissingDataError, match="no image in test, only in train: give --split train"):
        judge([classifier], "x", data, Wanted(), progress=False)


def test_the_folders_of_a_plain_tree_are_its_labels_whatever_column_was_learnt(classifier, tmp_path):
    for n, name in enumerate(CLASSES):
        write(tmp_path / "tree" / name / f"{n}.jpg", jpeg(n))
    for label in (None, "gender"):
        (found,) = judge([classifier], "x", tmp_path / "tree", Wanted(label=label), progress=False)
        assert [each.label for each in found.examples] == ["female", "male"]


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that are checked, and of those that are decoded for a model."""
    checked, shown = [], []

    def watch(module, name, of, path_of):
        original = getattr(module, name)

        def call(first, *more):
            of.append(path_of(first).name)
            return original(first, *more)

        monkeypatch.setattr(module, name, call)

    watch(gather_module, "inspect", checked, lambda path: path)
    watch(judge_module, "shown_example", shown, lambda example: example.path)
    return checked, shown


def of_kind(classifier, name, **spec):
    def mean(images):
        second = images.mean(axis=(1, 2, 3)) / 255
        return np.stack((1 - second, second), axis=1)

    own = replace(classifier, name=name, spec=replace(classifier.spec, **spec), probabilities=mean)
    return replace(own, path=own.path.with_name(f"{name}.keras"))


def test_an_image_is_opened_once_for_all_models_and_those_of_other_splits_never(classifier, tmp_path, opened):
    checked, shown = opened
    data = masked(tmp_path / "s", ("train",) * 5 + ("test",) * 40)
    wanted = [f"{n}.jpg" for n in range(5, 45)]
    models = [of_kind(classifier, name) for name in ("a", "b", "c")]
    found = judge(models, "x", data, Wanted(), progress=False)
    assert sorted(checked) == sorted(shown) == sorted(wanted)
    assert [each.model for each in found] == ["a", "b", "c"]
    for each in found:
        assert np.array_equal(each.probabilities, found[0].probabilities)
    # Another crop or size is another input: it is decoded for that, but not checked again.
    checked.clear(), shown.clear()
    models.append(of_kind(classifier, "small", size=16))
    models.append(of_kind(classifier, "face", crop="face"))
    together = judge(models, "x", data, Wanted(), progress=False)
    assert sorted(checked) == sorted(wanted)
    assert sorted(shown) == sorted(wanted * 3)
    for model, each in zip(models, together, strict=True):
        (alone,) = judge([model], "x", data, Wanted(), progress=False)
        assert each.examples == alone.examples
        assert each.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
