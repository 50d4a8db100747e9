"""What goes wrong over one image becomes its row, and what goes wrong with the run ends it."""

import cv2
import numpy as np
import pytest
from PIL import Image
from small_runs import masked, write_dataset

from maskgen.errors import LandmarkFileError, MachineError, ModelError, OutputError
from maskgen.files import tar
from maskgen.results.manifest import read_manifest
from maskgen.run import pipeline as stages
from maskgen.run import shard as worker
from maskgen.run.state.run_dir import RunDir


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "faces")


def rows_of(out):
    return {row.id: row for row in read_manifest(out / "manifest.jsonl")}


def write_pixels(path, size=(120, 140), mode="RGB", **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).integers(90, 170, (*size[::-1], 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(path, **how)


class OddError(Exception):
    """An exception that nobody expects."""


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (cv2.error("OpenCV said no\n in two lines"), "error: OpenCV said no in two lines"),
        (MemoryError(), "MemoryError"),
        (ValueError("bad shape"), "ValueError: bad shape"),
        (OddError("odd"), "OddError: odd"),
    ],
)
def test_whatever_is_raised_over_one_picture_becomes_its_row(
    source, tmp_path, monkeypatch, caplog, raised, reason
):
    real = stages.mask_image

    def picky(image, faces, plans, templates, options):
        if faces and faces[0].landmarks.pose["roll"] > 7.5:
            raise raised
        return real(image, faces, plans, templates, options)

    monkeypatch.setattr(stages, "mask_image", picky)
    caplog.set_level("DEBUG", "maskgen")
    counts = masked(source, tmp_path / "out")
    row = rows_of(tmp_path / "out")["female/008.jpg"]
    assert counts.statuses == {"error": 1, "masked": 7, "no_face": 2}
    assert (row.status, row.file_name) == ("error", None)
    assert row.reason.startswith(reason)
    assert row.source["sha256"] is not None
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("raised", [ModelError("no model"), OSError(28, "No space left on device")])
def test_what_is_wrong_with_model_or_output_ends_the_run(source, tmp_path, monkeypatch, raised):
    def broken(*_, **__):
        raise raised

    if isinstance(raised, ModelError):
        monkeypatch.setattr(stages, "_choose_faces", broken)
    else:
        monkeypatch.setattr(worker, "write_outputs", broken)
    with pytest.raises(
        ModelError if isinstance(raised, ModelError) else OutputError, match=str(raised.args[-1])
    ):
        masked(source, tmp_path / "out")
    assert not RunDir(tmp_path / "out").done()


@pytest.mark.parametrize(
    ("module", "name", "raised", "said"),
    [
        (
            stages,
            "mask_image",
            FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"),
            "set TMPDIR to a writable folder",
        ),
        (
            stages,
            "mask_image",
            FileNotFoundError(2, "No such file", "/a/model.tflite"),
            r"No such file \(/a/model",
        ),
        (stages, "mask_image", ImportError("libGL.so.1: cannot open shared object file"), "libGL"),
        (stages, "open_landmarker", OSError(24, "Too many open files"), "Too many open files"),
        (tar, "read_file", OSError(24, "Too many open files"), "Too many open files"),
    ],
)
def test_what_the_machine_lacks_ends_the_run_and_is_billed_on_no_picture(
    source, tmp_path, monkeypatch, module, name, raised, said
):
    def broken(*_, **__):
        raise raised

    stages.open_once.cache_clear()
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(MachineError, match=said):
        masked(source, tmp_path / "out")
    assert not RunDir(tmp_path / "out").done()


def test_a_picture_the_landmark_file_does_not_know_is_an_error_of_that_picture(tmp_path):
    root = write_dataset(tmp_path / "faces", count=3)
    write_pixels(root / "new.jpg")
    masked(root, tmp_path / "out")
    row = rows_of(tmp_path / "out")["new.jpg"]
    assert (row.status, row.label) == ("error", None)
    assert "has no line for 'new.jpg'" in row.reason and "unlabelled: " in row.reason


def test_a_landmark_file_that_is_not_there_ends_the_run_before_it_begins(source, tmp_path):
    with pytest.raises(LandmarkFileError, match=r"absent\.jsonl"):
        masked(source, tmp_path / "out", landmarks=str(tmp_path / "absent.jsonl"))
    assert not (tmp_path / "out").exists()
