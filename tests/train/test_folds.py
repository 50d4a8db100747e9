"""``train --folds``: a model for each fold, as one run that is taken up again wherever it was ended."""

import json
import zipfile

import pytest
from train_data import needs_train, people, write_masked

from maskgen.__main__ import main
from maskgen.train import session
from maskgen.train.run_folder import read_examples

pytestmark = needs_train

OPTIONS = (
    *("--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--batch-size", "8", "--head", "128"),
    *("--epochs", "2", "--deterministic", "--folds", "-q"),
)


@pytest.fixture(scope="module")
def adience(tmp_path_factory):
    """18 people with two images each, in three folds, as a manifest of Adience has them."""
    rows = people(18, 2, lambda person: ("female", "male")[person % 2])
    folds = [{"fold": int(each.identity[1:]) % 3} for each in rows]
    numbered = [
        each.__class__(**{**vars(each), "attributes": f}) for each, f in zip(rows, folds, strict=True)
    ]
    return write_masked(tmp_path_factory.mktemp("folds") / "adience", numbered)


@pytest.fixture(scope="module")
def unbroken(adience):
    assert main(["train", str(adience), "--out", str(adience.parent / "whole"), *OPTIONS]) == 0
    return adience.parent / "whole"


def figures(run):
    return {fold: json.loads((run / fold / "metrics.json").read_text()) for fold in folds_in(run)}


def folds_in(run):
    return sorted(path.name for path in run.glob("fold-*"))


def test_each_fold_is_the_test_once_and_their_mean_is_told(unbroken):
    found = figures(unbroken)
    assert list(found) == ["fold-0", "fold-1", "fold-2"]
    assert [each["test"]["n"] for each in found.values()] == [12, 12, 12]
    told = json.loads((unbroken / "folds.json").read_text())
    assert told["folds"] == found
    assert told["accuracy"] == pytest.approx(sum(each["test"]["accuracy"] for each in found.values()) / 3)
    tested = [
        {json.loads(line)["id"] for line in (unbroken / fold / "examples.jsonl").open() if '"test"' in line}
        for fold in found
    ]
    assert len(set.union(*tested)) == 36


def test_no_file_of_a_run_says_where_its_data_lie(unbroken, adience):
    place = str(adience.parent).encode()
    files = [path for path in unbroken.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"README.md", "run.json", "examples.jsonl", "predictions.csv"}
    for path in files:
        content = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                content += map(archive.read, archive.namelist())
        assert not any(place in each for each in content), path
    assert json.loads((unbroken / "run.json").read_text())["options"]["data"] == ["../adience"]
    (first, *_) = read_examples(unbroken / "fold-0/examples.jsonl")
    assert first.path.is_file() and first.path.is_relative_to(adience)


class EndedError(BaseException):
    """As a kill would, it passes every handler."""


def end_before_the_record_of(fold, monkeypatch):
    original = session.write_record

    def write(run, *arguments):
        if run.name == fold:
            (run / "examples.jsonl").write_text("{")
            raise EndedError
        original(run, *arguments)

    monkeypatch.setattr(session, "write_record", write)


def end_in(fold, monkeypatch):
    original = session.finalize

    def finalize(run, *arguments, **named):
        if run.name == fold:
            raise EndedError
        return original(run, *arguments, **named)

    monkeypatch.setattr(session, "finalize", finalize)


def test_ended_in_a_fold_and_between_two_it_goes_on_and_comes_to_the_same(
    adience, unbroken, tmp_path, capsys
):
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(EndedError):
        end_in("fold-0", patch)
        main(["train", str(adience), "--out", str(run), *OPTIONS])
    assert folds_in(run) == ["fold-0"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(EndedError):
        end_before_the_record_of("fold-1", patch)
        main(["train", "--resume", str(run), "-q"])
    capsys.readouterr()
    assert main(["train", "--resume", str(run), "-q", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["run"].rpartition("/")[2] for each in told] == ["fold-0", "fold-1", "fold-2"]
    assert figures(run) == figures(unbroken)
    assert json.loads((run / "folds.json").read_text()) == json.loads((unbroken / "folds.json").read_text())
    assert main(["train", "--resume", str(run), "-q"]) == 2
    assert "all 3 folds" in capsys.readouterr().err


def test_a_run_of_folds_is_neither_begun_twice_nor_made_up_of_an_older_one(adience, tmp_path, capsys):
    run = tmp_path / "run"
    old = run / "fold-2"
    old.mkdir(parents=True)
    for name in ("run.json", "metrics.json"):
        (old / name).write_text('{"folds": []}')
    (run / "run.json").write_text('{"folds": [0, 1, 2]}')
    assert main(["train", str(adience), "--out", str(run), *OPTIONS]) == 2
    assert "--resume" in capsys.readouterr().err
    with pytest.MonkeyPatch.context() as patch, pytest.raises(EndedError):
        end_before_the_record_of("fold-0", patch)
        main(["train", str(adience), "--out", str(run), "--overwrite", *OPTIONS])
    assert not any(old.iterdir())
