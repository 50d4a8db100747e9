"""`open_dataset`, `read_image` and `read_manifest`."""

import cv2
import numpy as np
import pytest
from small_runs import landmark_file, masked, write_dataset

import maskgen
from maskgen.errors import ConfigurationError, MissingDataError, UnreadableImageError, UsageError


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("reading") / "faces", count=10)


def test_samples_come_in_order_and_again_in_every_loop(root):
    samples = maskgen.open_dataset("folder", root)
    ids = [sample.id for sample in samples]
    assert len(ids) == 10 and ids == sorted(ids) == [sample.id for sample in samples]
    assert (samples.name, samples.root, samples.several_faces) == ("folder", root, False)
    assert len(list(maskgen.open_dataset("Folder", str(root), limit=3))) == 3


def test_a_split_may_have_any_of_its_names(tmp_path, monkeypatch):
    for split in ("train", "val"):
        write_dataset(tmp_path / "faces" / split, count=2)
    monkeypatch.chdir(tmp_path)
    samples = list(maskgen.open_dataset("gender-folders", "faces", split="dev"))
    assert {sample.split for sample in samples} == {"validation"} and len(samples) == 2


def test_the_errors_are_raised_by_the_call_not_by_the_loop(tmp_path):
    with pytest.raises(UsageError, match="there is no dataset 'celebb'"):
        maskgen.open_dataset("celebb")
    with pytest.raises(MissingDataError, match="Expected there:"):
        maskgen.open_dataset("celeba", tmp_path)
    with pytest.raises(UsageError, match="split must be one of"):
        maskgen.open_dataset("sample", split="holdout")


def test_an_image_is_read_in_rgb_or_bgr_from_a_sample_or_a_path(root):
    sample = next(iter(maskgen.open_dataset("folder", root)))
    rgb = maskgen.read_image(sample)
    assert np.array_equal(rgb, maskgen.read_image(str(sample.path)))
    assert np.array_equal(rgb[:, :, ::-1], maskgen.read_image(sample.path, channel_order="bgr"))
    assert np.array_equal(rgb[:, :, ::-1], cv2.imread(str(sample.path)))


def test_an_image_that_is_none_is_an_error(root):
    with pytest.raises(UnreadableImageError, match="file not found"):
        maskgen.read_image(root / "missing.jpg")
    with pytest.raises(UnreadableImageError):
        maskgen.read_image(landmark_file(root))


def test_a_manifest_is_read_from_its_folder_or_by_its_name(root, tmp_path):
    masked(root, tmp_path / "out")
    rows = list(maskgen.read_manifest(tmp_path / "out"))
    assert rows == list(maskgen.read_manifest(str(tmp_path / "out" / "manifest.jsonl")))
    assert all(isinstance(row, maskgen.ManifestRow) for row in rows) and len(rows) == 10
    assert rows[0].faces[0].kind == "surgical"


def test_a_missing_or_damaged_manifest_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"manifest\.jsonl is not there"):
        list(maskgen.read_manifest(tmp_path))
    (tmp_path / "manifest.jsonl").write_text("{}\n")
    with pytest.raises(ConfigurationError, match="line 1"):
        list(maskgen.read_manifest(tmp_path))
