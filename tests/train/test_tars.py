"""Training from the tars of ``synth --layout webdataset``: the same images as from a tree of files."""

import csv
import json

import pytest
from small_runs import masked, write_dataset
from train_data import needs_train

from maskgen.__main__ import main
from maskgen.errors import UnreadableImageError, UsageError
from maskgen.files.remote import location
from maskgen.results.reader import read_image_file
from maskgen.train.data.examples import Wanted, reasons
from maskgen.train.data.gather import find_data, gather
from maskgen.train.run_folder import read_examples, write_examples


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    """The same 40 images, 32 of them masked with their unmasked twins, as a tree and in tars of three."""
    desk = tmp_path_factory.mktemp("layouts")
    write_dataset(desk / "faces", count=40)
    for layout in ("mirror", "webdataset"):
        masked(desk / "faces", desk / layout, layout=layout, pairs=True, format="jpeg")
    return desk


def examples(folder, which="both"):
    return gather([folder], Wanted(which=which), progress=False).examples


def told(example):
    """What does not depend on where an image lies."""
    name = example.id.partition("/")[2]
    own = example.label, example.masked, example.region, example.plain, example.hashes, example.box
    return name, read_image_file(example.path, example.member), *own


def test_tars_give_the_examples_and_the_bytes_that_files_give(layouts):
    tree, tars = (examples(layouts / layout) for layout in ("mirror", "webdataset"))
    assert len(tars) == 64
    assert [told(each) for each in tars] == [told(each) for each in tree]
    assert all(each.member is not None for each in tars)


def test_a_run_that_goes_on_reads_the_same_members(layouts, tmp_path):
    found = examples(layouts / "webdataset")
    write_examples(tmp_path / "examples.jsonl", found)
    again = read_examples(tmp_path / "examples.jsonl")
    assert [told(each) for each in again] == [told(each) for each in found]


def copied(layouts, folder):
    """A copy of the tars to do damage to: (the folder, its first tar)."""
    (folder / "shards").mkdir(parents=True)
    for path in ("manifest.jsonl", "shards/000000.tar"):
        (folder / path).write_bytes((layouts / "webdataset" / path).read_bytes())
    return folder, folder / "shards" / "000000.tar"


def test_what_a_damaged_tar_no_longer_has_is_dropped_with_the_reason(layouts, tmp_path):
    folder, tar = copied(layouts, tmp_path / "set")
    first = examples(layouts / "webdataset", "masked")[0].member
    tar.write_bytes(tar.read_bytes()[: first.offset + first.size + 700])
    found = gather([folder], Wanted(), progress=False)
    assert len(found.examples) == 1
    assert reasons(found.dropped) == {"unreadable": 31, "no_face": 8}
    details = " ".join(each.detail for each in found.dropped)
    assert "shards/000000.tar: a damaged tar, or one that was cut short" in details
    assert "shards/000001.tar: No such file" in details


def test_a_tar_that_changes_behind_a_run_is_not_read_at_the_old_places(layouts, tmp_path):
    folder, tar = copied(layouts, tmp_path / "set")
    example = gather([folder], Wanted(), progress=False).examples[0]
    tar.write_bytes(tar.read_bytes() + bytes(512))
    with pytest.raises(UnreadableImageError, match=r"000000\.tar has changed"):
        read_image_file(example.path, example.member)


@needs_train
def test_the_commands_take_tars_and_come_to_the_same_figures(layouts, tmp_path, capsys):
    small = ["--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--epochs", "1", "--both"]
    counts, figures = [], []
    for layout in ("mirror", "webdataset"):
        # In a folder of one name: the examples' ids begin with it.
        data, run = tmp_path / layout / "set", tmp_path / layout / "run"
        data.parent.mkdir()
        data.symlink_to(layouts / layout)
        assert main(["split", str(data), "--both", "--check", "--json", "-q"]) == 0
        counts.append(json.loads(capsys.readouterr().out))
        assert main(["train", str(data), "--out", str(run), "--deterministic", "-q", *small]) == 0
        assert main(["evaluate", str(run), "--on", f"set={data}", "--both", "--split", "all", "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
        with (run / "predictions.csv").open() as file:
            figures.append([{**line, "path": ""} for line in csv.DictReader(file)])
    assert counts[0] == counts[1]
    assert figures[:2] == figures[2:]


def test_data_under_a_url_are_asked_for_on_this_machine():
    pytest.importorskip("upath")
    with pytest.raises(UsageError, match=r"memory://.*copy the folder here first"):
        find_data([location("memory://faces/masked")])
