"""Masks on the fly: another one in each epoch, the same again for the same seed, none without landmarks."""

import csv
import json

import numpy as np
import pytest
from small_runs import landmark_file, write_dataset
from train_data import needs_train

from maskgen.__main__ import main
from maskgen.train.data.augment import NONE
from maskgen.train.data.decoded import Decoded
from maskgen.train.data.examples import Wanted
from maskgen.train.data.feed import Feed
from maskgen.train.data.fresh_masks import FreshMasks
from maskgen.train.data.gather import gather
from maskgen.train.data.model_input import shown_example

CLASSES = ("female", "male")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Ten images in female/ and male/, of which the fifth and the tenth have no face in the landmark file."""
    return write_dataset(tmp_path_factory.mktemp("fresh") / "faces", count=10)


def examples(tree):
    return gather([tree], Wanted(which="auto"), progress=False).examples


def differs(one, other):
    return np.abs(one.astype(int) - other).max() > 20


def test_each_epoch_has_its_own_mask_and_a_seed_the_same_ones_again(tree):
    masks, example = FreshMasks(0.5, landmark_file(tree), seed=3), examples(tree)[0]
    bare = shown_example(example, 64)
    first, second = (masks.image(example, 64, epoch) for epoch in (0, 1))
    assert first.shape == (64, 64, 3)
    assert differs(first, bare) and differs(second, bare) and differs(first, second)
    assert np.array_equal(first, FreshMasks(0.5, landmark_file(tree), seed=3).image(example, 64, 0))


def test_an_image_without_a_face_stays_bare(tree):
    masks = FreshMasks(1.0, landmark_file(tree), seed=3)
    faceless = next(each for each in examples(tree) if each.sample_id.endswith("004.jpg"))
    assert np.array_equal(masks.image(faceless, 64, 0), shown_example(faceless, 64))


def test_a_feed_masks_its_share_of_an_epoch_and_nothing_in_validation(tree):
    own = [each for each in examples(tree) if each.sample_id[-7:] not in ("004.jpg", "009.jpg")]
    feed = Feed(own, CLASSES, 64, 4, masks=FreshMasks(0.5, landmark_file(tree), seed=3))
    bare = np.concatenate([*feed.in_order()])
    masked = [[differs(feed.varied(0, epoch, NONE)(n), bare[n]) for n in range(8)] for epoch in range(6)]
    assert 12 <= np.sum(masked) <= 36
    assert len(set(map(tuple, masked))) > 1


def test_kept_images_are_those_without_a_mask(tree):
    own, masks = examples(tree), FreshMasks(0.5, landmark_file(tree), seed=3)
    plain = Feed(own, CLASSES, 64, 4, masks=masks)
    keeps = Feed(own, CLASSES, 64, 4, masks=masks, decoded=Decoded(len(own), 64))
    for epoch in range(3):
        one, other = (feed.varied(0, epoch, NONE) for feed in (plain, keeps))
        assert all(np.array_equal(one(n), other(n)) for n in range(len(own)))


@needs_train
def test_a_run_learns_from_them(tree, tmp_path, capsys):
    small = ("--backbone", "tiny-cnn", "--size", "32", "--weights", "none", "--epochs", "1")
    command = ["train", str(tree), "--out", str(tmp_path / "run"), *small, "--mask-on-the-fly", "0.5"]
    assert main(command) == 2
    assert "--landmarks FILE" in capsys.readouterr().err
    assert main([*command, "--landmarks", str(landmark_file(tree))]) == 0
    options = json.loads((tmp_path / "run" / "run.json").read_text())["options"]
    assert options["mask_on_the_fly"] == 0.5
    with (tmp_path / "run" / "history.csv").open() as file:
        assert [line["phase"] for line in csv.DictReader(file)] == ["scratch"]
