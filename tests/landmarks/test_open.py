"""Which landmarker a spec opens, where the Tasks model comes from, and how mediapipe is imported."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maskgen.errors import ModelError, UsageError
from maskgen.landmarks import LandmarkerSpec, mediapipe_engines, open_landmarker
from maskgen.landmarks.engine import quiet_stderr


@pytest.mark.parametrize(
    ("spec", "member"),
    [
        (LandmarkerSpec(), "litert"),
        (LandmarkerSpec(model_path=Path()), "litert"),
        (LandmarkerSpec("mediapipe"), "mediapipe"),
        (LandmarkerSpec("tasks"), "tasks"),
        (LandmarkerSpec(model_path=Path("x.task")), "tasks"),
        (LandmarkerSpec("faces.jsonl"), "file"),
    ],
)
def test_what_a_spec_opens(spec, member):
    assert spec.member == member
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize(
    "arguments",
    [
        {"detector": "dlib"},
        {"model": "faces.jsonl", "model_path": Path("x.task")},
        {"model": "mediapipe", "model_path": Path("x.task")},
    ],
)
def test_a_spec_that_makes_no_sense(arguments):
    with pytest.raises(UsageError):
        LandmarkerSpec(**arguments)


def test_the_environment_names_the_tasks_model_and_the_option_overrides_it(monkeypatch, tmp_path):
    monkeypatch.delenv(mediapipe_engines.MODEL_VARIABLE, raising=False)
    with pytest.raises(ModelError, match=r"needs a model file: get https.*face_landmarker\.task"):
        mediapipe_engines.find_task_file()
    named, given = tmp_path / "named.task", tmp_path / "given.task"
    for path in (named, given):
        path.write_bytes(b"x")
    monkeypatch.setenv(mediapipe_engines.MODEL_VARIABLE, str(named))
    assert mediapipe_engines.find_task_file() == named
    assert mediapipe_engines.find_task_file(given) == given
    monkeypatch.setenv(mediapipe_engines.MODEL_VARIABLE, str(tmp_path / "gone.task"))
    with pytest.raises(ModelError, match=r"MASKGEN_LANDMARK_MODEL names .*gone\.task"):
        mediapipe_engines.find_task_file()


def test_a_file_that_is_no_model(tmp_path):
    pytest.importorskip("mediapipe")
    path = tmp_path / "wrong.task"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"wrong\.task is not a landmark model"):
        open_landmarker(LandmarkerSpec(model_path=path))


def test_the_tasks_model_gives_a_mesh_of_468_points_too(request, head):
    (face,) = request.getfixturevalue("tasks").find(head)
    assert face.points.shape == (468, 3)


def test_chatter_is_held_back_and_errors_are_passed_on(capfd):
    with quiet_stderr():
        os.write(2, b"W0000 00:00:1795320316.99 4254 calculator.cc:114] a warning\n")
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"E0000 00:00:1795320316.99 4254 calculator.cc:114] an error\n")
        print("from Python", file=sys.stderr, flush=True)
    print("afterwards", file=sys.stderr)
    kept = capfd.readouterr().err
    assert "a warning" not in kept
    assert "Created" not in kept
    assert kept.index("an error") < kept.index("afterwards")


def test_without_a_place_for_what_is_held_back_nothing_is(capfd, monkeypatch):
    def none():
        raise FileNotFoundError(2, "No usable temporary directory found")

    with monkeypatch.context() as patch:
        patch.delattr(os, "memfd_create", raising=False)
        patch.setattr("tempfile.tempdir", None)
        patch.setattr("tempfile._get_default_tempdir", none)
        with quiet_stderr():
            os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
    assert "Created" in capfd.readouterr().err


def test_errors_are_passed_on_when_the_block_raises(capfd):
    with pytest.raises(ValueError, match="stop"), quiet_stderr():
        os.write(2, b"F0000 fatal\n")
        raise ValueError("stop")
    assert "F0000 fatal" in capfd.readouterr().err


def test_an_engine_without_its_package_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    (tmp_path / "x.task").write_bytes(b"x")
    for spec in (LandmarkerSpec("mediapipe"), LandmarkerSpec(model_path=tmp_path / "x.task")):
        with pytest.raises(ModelError, match="pip install mediapipe"):
            open_landmarker(spec)


def test_importing_the_package_imports_no_model():
    heavy = {"ai_edge_litert", "mediapipe", "cv2", "tensorflow"}
    program = f"import maskgen.landmarks, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_closed_landmarker_opens_its_models_again(head):
    landmarker = open_landmarker()
    first = landmarker.find(head)[0].points
    landmarker.close()
    assert np.array_equal(landmarker.find(head)[0].points, first)
    landmarker.close()
