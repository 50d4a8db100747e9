"""The model files of the default engine: where they are looked for, and how they are fetched.

Three files of mediapipe 0.10.21 (2.2 MB, Apache License 2.0), checked by their sha256. They are looked for in

1. the folder that the user names, by ``--models`` or the environment variable ``MASKGEN_MODELS``;
2. the installed mediapipe, whose wheels up to 0.10.21 carry them;
3. the cache folder, to which they are fetched once, from mediapipe's wheel by the user's own pip.
"""

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE

from maskgen.errors import ModelError
from maskgen.files.atomic import write_atomic
from maskgen.files.checksum import file_sha256
from maskgen.process import cache_folder

VARIABLE = "MASKGEN_MODELS"
LANDMARK_MODEL = "face_landmark.tflite"
SHA256 = {
    "face_detection_short_range.tflite": "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    "face_detection_full_range_sparse.tflite": (
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"
    ),
    LANDMARK_MODEL: "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
}
# A wheel of this version has the same files on every system, so that of Linux serves all.
_WHEEL = "mediapipe==0.10.21"
_DOWNLOAD = (
    *("download", _WHEEL, "--no-deps", "--only-binary=:all:", "--implementation=cp", "--python-version=3.12"),
    *("--abi=cp312", "--platform=manylinux_2_28_x86_64", "--disable-pip-version-check", "--retries=1"),
)
_COMMAND = "maskgen models fetch --to DIR"
_HELP = f"Run `{_COMMAND}` on a machine that has a network, copy DIR here, and set {VARIABLE} to its path"

log = logging.getLogger("maskgen")


@dataclass(frozen=True)
class ModelFolder:
    """A place of model files."""

    origin: str  # what names the place, such as "MASKGEN_MODELS"
    paths: dict[str, Path]  # name of each model file -> its path, which may not exist

    def problems(self) -> list[str]:
        """What is wrong with each missing or changed file."""
        wrong = []
        for name, path in self.paths.items():
            if not path.is_file():
                wrong.append(f"{path} does not exist")
            elif (sha256 := file_sha256(path)) != SHA256[name]:
                wrong.append(f"{path} is not the file of {_WHEEL}: its sha256 is {sha256[:8]}…")
        return wrong


def find_models(folder: Path | None = None) -> dict[str, Path]:
    """The path of each model file; they are fetched to the cache folder if they are nowhere.

    Raises:
        ModelError: The user's folder lacks a file, or the files are nowhere and cannot be fetched.
    """
    for place in model_folders(folder):
        wrong = place.problems()
        if not wrong:
            return place.paths
        if place.origin in ("--models", VARIABLE):
            raise ModelError(f"{place.origin}: {'; '.join(wrong)}. Make the folder again by: {_COMMAND}")
        if place.origin == "cache":
            fetch_models(place.paths[LANDMARK_MODEL].parent)
            return place.paths
    raise ModelError(f"there is no home folder for the landmark models. {_HELP}")


def model_folders(folder: Path | None = None) -> list[ModelFolder]:
    """The places of model files, in the order in which they are looked for."""
    named = [("--models", folder), (VARIABLE, os.environ.get(VARIABLE))]
    places = [_in_folder(origin, Path(path)) for origin, path in named if path]
    spec = importlib.util.find_spec("mediapipe")
    for package in (spec and spec.submodule_search_locations) or ():
        paths = {name: _in_wheel(Path(package), name) for name in SHA256}
        if any(path.is_file() for path in paths.values()):
            places.append(ModelFolder("mediapipe", paths))
    if (cache := cache_folder()) is not None:
        places.append(_in_folder("cache", cache / "models"))
    return places


def fetch_models(folder: Path) -> None:
    """Take the model files out of mediapipe's wheel, which pip downloads, into ``folder``.

    Processes that fetch to one folder wait for each other, and all but the first find the files.

    Raises:
        ModelError: pip is missing or fails, or the wheel is not the expected one.
    """
    place = _in_folder("cache", folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / ".lock"), tempfile.TemporaryDirectory(prefix="maskgen-") as scratch:
            if not place.problems():
                return
            with zipfile.ZipFile(_download(Path(scratch))) as wheel:
                for name, path in place.paths.items():
                    write_atomic(path, wheel.read(_in_wheel(Path("mediapipe"), name).as_posix()))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"the landmark models cannot be saved in {folder} ({error}). {_HELP}") from error
    if wrong := place.problems():
        raise ModelError(
            f"the wheel that pip downloaded is not the official one: {'; '.join(wrong)}. {_HELP}"
        )


def _download(folder: Path) -> Path:
    """Download the wheel into ``folder``; a terminal shows pip's progress bar."""
    command = [*_pip(), *_DOWNLOAD, f"--dest={folder}"]
    log.warning("fetching the landmark models, once: pip downloads %s (36 MB)", _WHEEL)
    output = 2 if os.isatty(2) else DEVNULL
    done = subprocess.run(
        command, stdin=DEVNULL, stdout=output, stderr=PIPE, text=True, errors="replace", check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        failure = f"pip download {_WHEEL} failed ({[f'exit status {done.returncode}', *errors][-1]})"
        raise ModelError(f"the landmark models cannot be fetched: {failure}. {_HELP}")
    return wheels[0]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    for command in (["uvx", "pip"], ["pip3"], ["pip"]):
        if shutil.which(command[0]):
            return command
    raise ModelError(f"the landmark models cannot be fetched: there is no pip. {_HELP}")


def _in_folder(origin: str, folder: Path) -> ModelFolder:
    return ModelFolder(origin, {name: folder / name for name in SHA256})


def _in_wheel(package: Path, name: str) -> Path:
    return package / "modules" / ("face_landmark" if name == LANDMARK_MODEL else "face_detection") / name


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait for the lock of a file; without locks, as on Windows, two processes fetch the same files."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
