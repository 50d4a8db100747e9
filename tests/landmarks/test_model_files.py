"""Where the landmark models come from: the user's folder, mediapipe's wheel, the cache, or pip."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from maskgen.errors import ModelError
from maskgen.landmarks import model_files
from maskgen.landmarks.model_files import SHA256, VARIABLE, fetch_models, find_models, model_folders

# A pip that knows one wheel, and writes down each download.
FAKE_PIP = """
import shutil, sys
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
(folder,) = [word.removeprefix("--dest=") for word in sys.argv if word.startswith("--dest=")]
shutil.copy({wheel!r}, folder)
"""


@pytest.fixture(scope="module")
def models():
    """The real files: name -> path."""
    return find_models()


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No model files: an empty cache folder, which it returns, no variable, and no mediapipe."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(model_files, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setattr(model_files.importlib.util, "find_spec", lambda name: None)
    return tmp_path / "cache" / "models"


@pytest.fixture
def pip(monkeypatch, tmp_path, models):
    """Make `maskgen` use `FAKE_PIP`; a function returns its downloads."""
    wheel, log, program = (tmp_path / name for name in ("mediapipe-0.10.21-x.whl", "log", "pip.py"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, path in models.items():
            folder = "face_landmark" if name == "face_landmark.tflite" else "face_detection"
            archive.write(path, f"mediapipe/modules/{folder}/{name}")
    program.write_text(FAKE_PIP.format(log=str(log), wheel=str(wheel)))
    monkeypatch.setattr(model_files, "_pip", lambda: [sys.executable, str(program)])
    return lambda: log.read_text().splitlines() if log.exists() else []


def copied(models, folder):
    folder.mkdir(parents=True)
    for path in models.values():
        shutil.copy(path, folder)
    return folder


def test_models_that_are_nowhere_are_fetched_to_the_cache_once(nowhere, pip):
    first = find_models()
    assert {path.parent for path in first.values()} == {nowhere}
    assert find_models() == first
    (download,) = pip()
    assert "mediapipe==0.10.21" in download and "--no-deps" in download
    assert {path.name for path in nowhere.iterdir()} == {*SHA256, ".lock"}


def test_a_cached_file_whose_bytes_changed_is_fetched_again(nowhere, pip, models):
    copied(models, nowhere)
    path = nowhere / "face_landmark.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert find_models()["face_landmark.tflite"] == path
    assert path.read_bytes() == models[path.name].read_bytes()
    assert len(pip()) == 1


@pytest.mark.parametrize("named_by", ["--models", VARIABLE])
def test_a_folder_that_the_user_names_wins_and_is_never_written(
    nowhere, pip, models, monkeypatch, tmp_path, named_by
):
    copied(models, nowhere)
    folder = copied(models, tmp_path / "own")
    given = folder if named_by == "--models" else None
    if given is None:
        monkeypatch.setenv(VARIABLE, str(folder))
    assert {path.parent for path in find_models(given).values()} == {folder}
    (folder / "face_landmark.tflite").write_bytes(b"other")
    with pytest.raises(
        ModelError, match=rf"{named_by}: .*is not the file of mediapipe.*maskgen models fetch"
    ):
        find_models(given)
    (folder / "face_landmark.tflite").unlink()
    with pytest.raises(ModelError, match=rf"{named_by}: .*face_landmark.tflite does not exist"):
        find_models(given)
    assert not (folder / "face_landmark.tflite").exists()
    assert pip() == []


def test_the_installed_mediapipe_is_used_before_the_cache(nowhere, models, monkeypatch, tmp_path):
    copied(models, nowhere)
    package = tmp_path / "site" / "mediapipe"
    for name, path in models.items():
        folder = "face_landmark" if name == "face_landmark.tflite" else "face_detection"
        (package / "modules" / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, package / "modules" / folder)

    class Spec:
        submodule_search_locations = (str(package),)

    monkeypatch.setattr(model_files.importlib.util, "find_spec", lambda name: Spec)
    assert [place.origin for place in model_folders()] == ["mediapipe", "cache"]
    assert all(package in path.parents for path in find_models().values())


@pytest.mark.parametrize("content", [b"", b"<html>", None], ids=["empty", "a page", "other files"])
def test_a_wheel_that_is_not_the_official_one_leaves_no_model(nowhere, pip, tmp_path, content):
    wheel = tmp_path / "mediapipe-0.10.21-x.whl"
    if content is not None:
        wheel.write_bytes(content)
    else:
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("mediapipe/modules/face_landmark/face_landmark.tflite", b"other")
    with pytest.raises(ModelError, match=f"cannot be saved.*set {VARIABLE}"):
        find_models()
    assert not list(nowhere.glob("*.tflite"))


def test_without_pip_or_a_home_the_error_says_the_command(nowhere, monkeypatch):
    monkeypatch.setattr(model_files.shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match=r"there is no pip\. Run `maskgen models fetch --to DIR`"):
        find_models()
    monkeypatch.setattr(model_files, "cache_folder", lambda: None)
    with pytest.raises(ModelError, match=r"no home folder.*maskgen models fetch --to DIR"):
        find_models()


FETCH = """
import sys
from pathlib import Path
from maskgen.landmarks import model_files
model_files._pip = lambda: [sys.executable, sys.argv[1]]
model_files.fetch_models(Path(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no file locks")
def test_two_processes_at_once_fetch_once(pip, tmp_path):
    command = [sys.executable, "-c", FETCH, str(tmp_path / "pip.py"), str(tmp_path / "models")]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(pip()) == 1
    assert len(list((tmp_path / "models").glob("*.tflite"))) == 3


def maskgen(*arguments, **environment):
    variables = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **environment}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_MEDIAPIPE, *map(str, arguments)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


WITHOUT_MEDIAPIPE = """
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "mediapipe" else find_spec(name, *more)
from maskgen.__main__ import main
sys.exit(main())
"""


def test_without_a_network_and_models_synth_exits_with_2_and_with_the_folder_it_works(tmp_path, models):
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = maskgen("synth", "--dataset", "sample", "--out", tmp_path / "out", MASKGEN_MODELS="", **home)
    assert done.returncode == 2
    assert "maskgen models fetch --to DIR" in done.stderr and VARIABLE in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "manifest.jsonl").exists()
    assert maskgen("models", "list", MASKGEN_MODELS="", **home).returncode == 1
    folder = copied(models, tmp_path / "copied")
    listed = maskgen("models", "list", MASKGEN_MODELS=str(folder), **home)
    assert (listed.returncode, listed.stdout.split()[:2]) == (0, [VARIABLE, str(folder)])
    done = maskgen(
        "synth", "--dataset", "sample", "--out", tmp_path / "out", MASKGEN_MODELS=str(folder), **home
    )
    assert done.returncode == 0, done.stderr


def test_fetch_models_says_where_they_are(pip, tmp_path, capfd):
    from maskgen.__main__ import main

    assert main(["models", "fetch", "--to", str(tmp_path / "new")]) == 0
    assert str(tmp_path / "new") in capfd.readouterr().err
    assert len(list((tmp_path / "new").glob("*.tflite"))) == 3
    fetch_models(tmp_path / "new")
    assert len(pip()) == 1
