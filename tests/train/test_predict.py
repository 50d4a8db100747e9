"""Predicting without labels: images, videos, boxes and JSON; no tensorflow where the model needs none."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from train_data import jpeg, write

from maskgen.__main__ import main
from maskgen.errors import MissingDataError, UsageError
from maskgen.train.data.model_input import inspect, region_of, shown
from maskgen.train.model import classifier as classifier_module
from maskgen.train.model.classifier import Classifier
from maskgen.train.predict.faces import annotated, predict_file, predict_frame
from maskgen.train.predict.inputs import predict_video
from maskgen.train.spec import ModelSpec

CLASSES = ("female", "male")


class Finder:
    """A landmarker that finds a face in the same place of every image, and none in small ones."""

    def find(self, image, *, boxes=(), sample_id=None, every_face=False):
        found = type("Face", (), {"box": (40.0, 30.0, 40.0, 50.0)})
        return [found] if image.shape[0] > 60 else []

    def close(self):
        pass


def bright(images):
    male = images.mean(axis=(1, 2, 3), dtype=np.float32) / 255
    return np.stack([1 - male, male], axis=1)


def classifier(tmp_path, crop="face", seen=None):
    def ask(images):
        if seen is not None:
            seen.append(images)
        return bright(images)

    spec = ModelSpec(CLASSES, 32, crop, 0.25, None, None, "tiny-cnn")
    return Classifier("bright", tmp_path / "m.keras", spec, ask)


def test_prediction_shows_the_model_the_pixels_that_training_showed(tmp_path):
    path = write(tmp_path / "a.jpg", jpeg(3, size=(160, 120)))
    for crop in ("full", "face", "upper-face"):
        seen = []
        (said,), _ = predict_file(classifier(tmp_path, crop, seen), path, Finder())
        found = inspect(path)
        region = region_of(crop, found.size, (40.0, 30.0, 40.0, 50.0), 0.25)
        assert np.array_equal(seen[0][0], shown(path.read_bytes(), region, 32, found.plain)), crop
        assert said.box == (40.0, 30.0, 40.0, 50.0)


def test_the_most_probable_class_is_said_with_its_probability(tmp_path):
    for level, label in ((110, "female"), (150, "male")):
        path = write(tmp_path / "a.jpg", jpeg(0, (level, level, level), (100, 100), spread=0))
        (said,), _ = predict_file(classifier(tmp_path), path, Finder())
        assert said.label == label
        assert said.probability == max(said.probabilities) > 0.5


def test_without_detection_the_whole_picture_is_the_face(tmp_path):
    path = write(tmp_path / "a.jpg", jpeg(0, size=(48, 48)))
    (said,), _ = predict_file(classifier(tmp_path), path, None)
    assert said.box is None
    assert predict_file(classifier(tmp_path), path, Finder())[0] == []
    assert predict_frame(classifier(tmp_path), cv2.imread(str(path)), None) == [said]


def test_a_model_of_whole_pictures_answers_where_no_face_is_found(tmp_path):
    path = write(tmp_path / "a.jpg", jpeg(0, size=(48, 48)))
    model = classifier(tmp_path, "full")
    (said,), _ = predict_file(model, path, Finder())
    assert said.box is None
    assert (
        [said] == predict_file(model, path, None)[0] == predict_frame(model, cv2.imread(str(path)), Finder())
    )


def test_a_box_is_drawn_in_a_copy(tmp_path):
    bgr = np.zeros((120, 160, 3), np.uint8)
    path = write(tmp_path / "a.jpg", jpeg(0, size=(160, 120)))
    said, _ = predict_file(classifier(tmp_path), path, Finder())
    drawn = annotated(bgr, said)
    assert not bgr.any()
    assert drawn[30, 60].any() and drawn[80, 60].any() and not drawn[60, 60].any()


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """The command line with a model and a landmarker that need neither tensorflow nor mediapipe."""
    monkeypatch.setattr(classifier_module, "open_classifier", lambda path: classifier(tmp_path))
    monkeypatch.setattr("maskgen.landmarks.open_landmarker", lambda spec: Finder())
    return tmp_path


def test_the_command_prints_json_lines_writes_pictures_and_tells_what_it_cannot_read(opened, capsys):
    write(opened / "photos" / "a.jpg", jpeg(0, (100, 100, 100), size=(160, 120)))
    write(opened / "photos" / "deep" / "b.png", b"no image")
    write(opened / "photos" / "small.jpg", jpeg(0))
    out = opened / "out"
    assert main(["predict", "m", str(opened / "photos"), "--json", "-o", str(out)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"].rpartition("/")[2] for line in lines] == ["a.jpg", "b.png", "small.jpg"]
    assert lines[0]["faces"][0]["box"] == [40.0, 30.0, 40.0, 50.0]
    assert sum(lines[0]["faces"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert "no known image format" in lines[1]["reason"]
    assert lines[2] == {**lines[2], "faces": [], "reason": "no face found"}
    assert Image.open(out / "a.jpg.png").size == (160, 120)
    assert main(["predict", "m", str(opened / "photos" / "a.jpg")]) == 0
    assert "a.jpg: female" in capsys.readouterr().out


def test_quiet_prints_errors_and_what_json_asks_for(opened, capsys):
    write(opened / "photos" / "a.jpg", jpeg(0, (100, 100, 100), size=(160, 120)))
    write(opened / "photos" / "b.jpg", jpeg(0))
    write(opened / "photos" / "c.png", b"no image")
    photos = str(opened / "photos")
    assert main(["predict", "m", photos]) == 1
    out, err = capsys.readouterr()
    assert "a.jpg: female" in out and "b.jpg: no face found" in err
    assert err.splitlines()[-1] == (
        "no face found in 1 of 3 images; --no-detect takes each whole image for a face"
    )
    assert main(["predict", "m", photos, "-q"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and [line.partition(": ")[0][-5:] for line in err.splitlines()] == ["c.png"]
    assert main(["predict", "m", photos, "-q", "--json"]) == 1
    out, err = capsys.readouterr()
    assert out.count("\n") == 3 and err == ""


def test_usage(opened, capsys):
    assert main(["predict", "m"]) == 2
    assert "either images, or --video FILE, or --camera N" in capsys.readouterr().err
    assert main(["predict", "m", "a.jpg", "--frames", "2"]) == 2
    assert "--frames needs --video or --camera" in capsys.readouterr().err
    assert main(["predict", "m", str(opened / "absent.jpg")]) == 2
    assert "no such image" in capsys.readouterr().err


def test_a_video_is_judged_frame_by_frame_and_written_without_a_window(tmp_path):
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for number in range(6):
        writer.write(np.full((120, 160, 3), 40 * number, np.uint8))
    writer.release()
    out = tmp_path / "out" / "told.avi"
    found = list(predict_video(classifier(tmp_path), path, Finder(), out))
    assert [number for number, *_ in found] == list(range(6))
    assert [said[0].label for _, said, _ in found] == ["female"] * 4 + ["male"] * 2
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FRAME_COUNT) == 6
    assert len(list(predict_video(classifier(tmp_path), path, None, frames=2))) == 2
    with pytest.raises(UsageError, match="ends in"):
        list(predict_video(classifier(tmp_path), path, None, tmp_path / "told.jpg"))
    content = path.read_bytes()
    (tmp_path / "link.avi").symlink_to(path)
    for same in (path, tmp_path / "link.avi"):
        with pytest.raises(UsageError, match="is the video to be judged"):
            list(predict_video(classifier(tmp_path), path, None, same))
    assert path.read_bytes() == content
    with pytest.raises(MissingDataError, match="cannot be opened"):
        list(predict_video(classifier(tmp_path), tmp_path / "absent.avi", None))


def written(out):
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (["photos"], ["x/a.jpg.png", "y/a.jpg.png"]),
        (["photos/x", "photos/y"], ["x/a.jpg.png", "y/a.jpg.png"]),
        (["photos/x/a.jpg", "photos/y/a.jpg"], ["x/a.jpg.png", "y/a.jpg.png"]),
        (["photos/x/a.jpg", "photos"], ["x/a.jpg.png", "y/a.jpg.png"]),
        (["photos/y", "photos/y"], ["a.jpg.png"]),
    ],
)
def test_two_images_of_one_name_stay_apart(opened, capsys, inputs, expected):
    for folder in ("x", "y"):
        write(opened / "photos" / folder / "a.jpg", jpeg(0, size=(160, 120)))
    out = opened / "out"
    given = [str(opened / name) for name in inputs]
    assert main(["predict", "m", *given, "-o", str(out), "--json"]) == 0
    assert written(out) == expected
    files = [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()]
    assert len(set(files)) == len(files) == len(expected)


def test_a_folder_of_links_and_long_names_is_judged_and_system_files_are_not(opened, capsys):
    write(opened / "elsewhere" / "a.jpg", jpeg(0, size=(160, 120)))
    write(opened / "photos" / f"{'n' * 251}.jpg", jpeg(0, size=(160, 120)))
    write(opened / "photos" / "@eaDir" / "b.jpg", b"")
    write(opened / "photos" / "._c.jpg", b"")
    (opened / "photos" / "folder").symlink_to(opened / "elsewhere")
    out = opened / "out"
    assert main(["predict", "m", str(opened / "photos"), "-o", str(out)]) == 0
    assert [name[:12] for name in written(out)] == ["folder/a.jpg", "n" * 12]
