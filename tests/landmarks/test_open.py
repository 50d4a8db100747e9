"""Which landmarker a spec opens, where the Tasks model comes from, and how mediapipe is imported."""

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from maskgen.errors import ModelError, UsageError
from maskgen.landmarks import LandmarkerSpec, open_landmarker, tasks
from maskgen.landmarks.mediapipe_import import import_mediapipe, quiet_stderr


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


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A user's cache of this test's own, and a model that is easy to have the right sha256 of."""
    monkeypatch.setattr(tasks, "MODEL_SHA256", hashlib.sha256(b"model").hexdigest())
    monkeypatch.setattr(tasks, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv(tasks.MODEL_VARIABLE, raising=False)
    return tmp_path / "cache"


def no_fetch(url):
    raise AssertionError(f"{url} must not be fetched")


def test_the_model_is_fetched_once(cache):
    asked = []

    def fetch(url):
        asked.append(url)
        return b"model"

    path = tasks.find_model(fetch=fetch)
    assert path == cache / "face_landmarker.task"
    assert path.read_bytes() == b"model"
    assert tasks.find_model(fetch=no_fetch) == path
    assert asked == [tasks.MODEL_URL]
    assert list(cache.iterdir()) == [path]


def test_a_cached_model_that_has_changed_is_not_opened(cache):
    path = tasks.find_model(fetch=lambda url: b"model")
    path.write_bytes(b"other")
    with pytest.raises(ModelError, match=r"is not the official landmark model.*Remove it"):
        tasks.find_model(fetch=no_fetch)


def offline(url):
    raise URLError("no network")


@pytest.mark.parametrize(
    ("fetch", "message"),
    [
        (offline, "no network"),
        (lambda url: b"<html>", "is not the landmark model"),
        (lambda url: b"", "sha256"),
    ],
)
def test_a_model_that_cannot_be_fetched_says_where_to_put_it(cache, fetch, message):
    with pytest.raises(ModelError, match=message) as caught:
        tasks.find_model(fetch=fetch)
    for part in (str(cache / "face_landmarker.task"), "MASKGEN_LANDMARK_MODEL", tasks.MODEL_URL):
        assert part in str(caught.value)
    assert not cache.exists() or not list(cache.iterdir())


def test_the_environment_names_the_model_and_the_option_overrides_it(cache, monkeypatch, tmp_path):
    named, given = tmp_path / "named.task", tmp_path / "given.task"
    for path in (named, given):
        path.write_bytes(b"x")
    monkeypatch.setenv(tasks.MODEL_VARIABLE, str(named))
    assert tasks.find_model(fetch=no_fetch) == named
    assert tasks.find_model(given, fetch=no_fetch) == given
    monkeypatch.setenv(tasks.MODEL_VARIABLE, str(tmp_path / "gone.task"))
    with pytest.raises(ModelError, match=r"MASKGEN_LANDMARK_MODEL names .*gone\.task"):
        tasks.find_model(fetch=no_fetch)


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "wrong.task"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"wrong\.task is not a landmark model"):
        open_landmarker(LandmarkerSpec(model_path=path))


def test_the_official_model_is_named_in_full():
    assert len(tasks.MODEL_SHA256) == 64
    assert tasks.MODEL_SHA256.startswith("64184e22")


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


def test_the_model_cannot_be_fetched_without_a_home(monkeypatch):
    monkeypatch.delenv(tasks.MODEL_VARIABLE, raising=False)
    monkeypatch.setattr(tasks, "cache_folder", lambda: None)
    with pytest.raises(ModelError, match=f"no home folder.*set {tasks.MODEL_VARIABLE} to a model file"):
        tasks.find_model(fetch=lambda url: pytest.fail("it is fetched"))


def test_errors_are_passed_on_when_the_block_raises(capfd):
    with pytest.raises(ValueError, match="stop"), quiet_stderr():
        os.write(2, b"F0000 fatal\n")
        raise ValueError("stop")
    assert "F0000 fatal" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("libGL.so.1: cannot open shared object file", "apt-get install libgl1 libglib2.0-0"),
        ("libgthread-2.0.so.0: cannot open shared object file", "apt-get install libgl1 libglib2.0-0"),
        ("No module named 'mediapipe'", "pip install mediapipe"),
    ],
)
def test_an_import_that_fails_says_what_to_install(monkeypatch, error, message):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "mediapipe":
                raise ImportError(error)

    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ModelError, match=message):
        import_mediapipe()
    assert sys.modules.get("tensorflow", "absent") is not None


HIDDEN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from maskgen.landmarks.mediapipe_import import import_mediapipe
import_mediapipe()
assert "tensorflow" not in sys.modules
import tensorflow
assert tensorflow.imported
before = sys.modules["tensorflow"]
import_mediapipe()
assert sys.modules["tensorflow"] is before
"""


def test_tensorflow_is_not_imported_with_mediapipe_and_can_be_afterwards(tmp_path):
    (tmp_path / "tensorflow.py").write_text("imported = True\n")
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_matplotlib_is_not_imported_with_mediapipe_and_can_be_afterwards(tmp_path):
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "__init__.py").write_text("imported = True\n")
    (tmp_path / "matplotlib" / "pyplot.py").write_text("imported = True\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from maskgen.landmarks.mediapipe_import import import_mediapipe\n"
        "import_mediapipe()\n"
        "assert not [name for name in sys.modules if name.startswith('matplotlib')]\n"
        "import matplotlib.pyplot\n"
        "assert matplotlib.imported and matplotlib.pyplot.imported\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


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
