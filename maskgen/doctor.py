"""Whether maskgen can work here: what is installed, what is found, and a masked sample with its time.

Nothing heavy is imported before its own check, so that what is broken is named and the rest still looked at.
Each check is a function in `CHECKS`, which returns what it found and raises `Complaint` with what to do.
"""

from __future__ import annotations

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

WHEELS = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
PACKAGES = ("numpy", "scipy", "pillow", "mediapipe", "numba", "joblib", "click", "tqdm")
# Extra -> the modules that make it, for the commands that need them.
EXTRAS = {
    "train": ("tensorflow", "matplotlib"),
    "onnx": ("onnx", "onnxruntime"),
    "parquet": ("pyarrow",),
    "cloud": ("fsspec", "upath"),
    "dask": ("distributed",),
    "ray": ("ray",),
}
_LIBRARIES = "apt-get install libgl1 libglib2.0-0"
_MEMORY_OF_A_WORKER = 250  # MB, as measured
_LONGEST = 5.0  # seconds for the sample; an idle machine takes a tenth of one


class Complaint(Exception):  # noqa: N818
    """What is wrong, and as its second argument what to do."""


@dataclass(frozen=True)
class Result:
    """One check's outcome.

    Attributes:
        check: Its name.
        ok: Whether nothing is wrong.
        found: What was found.
        advice: What to do where something is wrong.
    """

    check: str
    ok: bool
    found: str
    advice: str | None = None


def examine() -> Iterator[Result]:
    """The outcome of each check, as it is made."""
    for name, check in CHECKS.items():
        try:
            yield Result(name, True, check())
        except Complaint as complaint:
            yield Result(name, False, *complaint.args)
        # A doctor that falls ill of what it looks for is of no use.
        except Exception as error:
            found = f"{type(error).__name__}: {' '.join(str(error).split())}"
            yield Result(name, False, found, "run it again with -v, and report it if it stays")


def _versions() -> str:
    python = f"maskgen {maskgen.__version__}, Python {platform.python_version()}"
    found = {name: _version(name) for name in PACKAGES}
    missing = [name for name, version in found.items() if version is None]
    told = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    if missing:
        raise Complaint(f"{python}, {told}", f"pip install {' '.join(missing)}")
    return f"{python}, {told}"


def _opencv_wheels() -> str:
    found = {name: version for name in WHEELS if (version := _version(name))}
    told = ", ".join(f"{name} {version}" for name, version in found.items())
    if not found:
        raise Complaint("no OpenCV is installed", "pip install opencv-contrib-python==4.11.0.86")
    if len(set(found.values())) > 1:
        newest = max(found.values(), key=_parts)
        same = " ".join(f"{name}=={newest}" for name in found)
        raise Complaint(
            f"{told}: they write into the same folder, and the last one installed has won",
            f"pip install --force-reinstall --no-deps {same}",
        )
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError as error:
        raise Complaint(f"{told}; it cannot be imported: {error}", _LIBRARIES) from error
    imported = str(cv2.__version__)
    if not next(iter(found.values())).startswith(imported):
        same = " ".join(f"{name}=={version}" for name, version in found.items())
        raise Complaint(
            f"{told}, but what is imported is {imported}", f"pip install --force-reinstall {same}"
        )
    return told


def _landmark_model() -> str:
    from maskgen.errors import ModelError
    from maskgen.landmarks import default_spec, has_bundled_models
    from maskgen.landmarks.mediapipe_import import import_mediapipe

    try:
        import_mediapipe()
        if has_bundled_models():
            return f"the models in mediapipe {_version('mediapipe')}"
        from maskgen.landmarks.tasks import find_model

        return f"{default_spec().member}: {find_model()}"
    except ModelError as error:
        raise Complaint("no landmark model can be opened", str(error)) from error


def _haar_cascades() -> str:
    cv2 = importlib.import_module("cv2")
    path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
    if not path.is_file():
        raise Complaint(
            f"{path} is not there", "pip install --force-reinstall opencv-contrib-python==4.11.0.86"
        )
    return str(path.parent)


def _templates() -> str:
    from maskgen.errors import TemplateError
    from maskgen.masking.templates.library import list_templates, load_template

    try:
        names = [template.name for template in list_templates()]
        for name in names:
            load_template(name)
    except TemplateError as error:
        raise Complaint(
            str(error), "install maskgen again: pip install --force-reinstall --no-deps maskgen"
        ) from error
    return f"{len(names)} mask templates"


def _machine() -> str:
    cores = usable_cores()
    memory = _memory()
    told = (
        f"{cores} cores, {memory:,} MB of memory free: -j {cores}" if memory else f"{cores} cores: -j {cores}"
    )
    if memory and memory < _MEMORY_OF_A_WORKER:
        raise Complaint(told, f"free some: each process takes about {_MEMORY_OF_A_WORKER} MB")
    if memory and memory < cores * _MEMORY_OF_A_WORKER:
        return f"{told.rpartition(':')[0]}: -j {memory // _MEMORY_OF_A_WORKER}, as each process takes 250 MB"
    return told


def _memory() -> int | None:
    """MB that can be had without swapping, where the system says so; a container's limit may be lower."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free // (1 << 20)
    if not os.access(Path.cwd(), os.W_OK):
        raise Complaint(f"{Path.cwd()} cannot be written", "give --out, or go to another folder")
    if free < 100:
        raise Complaint(f"{free} MB free in {Path.cwd()}", "free some: a result takes what its source does")
    return f"{free:,} MB free in {Path.cwd()}"


def _extras() -> str:
    told = {
        name: all(find_spec(module) is not None for module in modules) for name, modules in EXTRAS.items()
    }
    there = [name for name, has in told.items() if has]
    absent = [name for name, has in told.items() if not has]
    without = f"; not installed, and needed for their commands only: {', '.join(absent)}" if absent else ""
    return (", ".join(there) or "none") + without


def _sample() -> str:
    from maskgen.datasets import get_dataset
    from maskgen.errors import MaskgenError
    from maskgen.landmarks import open_landmarker
    from maskgen.options import SynthOptions
    from maskgen.run.single import mask_picture

    picture = next(
        path for path in sorted((get_dataset("sample").ships_in or Path()).iterdir()) if path.suffix == ".jpg"
    )
    data, options = picture.read_bytes(), SynthOptions("sample", blend="poisson")
    started = time.perf_counter()
    try:
        with closing(open_landmarker()) as landmarker:
            first = mask_picture(data, picture.name, options, landmarker)
            opened = time.perf_counter() - started
            again = mask_picture(data, picture.name, options, landmarker)
            took = time.perf_counter() - started - opened
    except MaskgenError as error:
        raise Complaint(f"{picture.name} was not masked", str(error)) from error
    if not first:
        raise Complaint(f"{picture.name}: {first.row.status}: {first.row.reason}", "install mediapipe again")
    if first.data != again.data:
        raise Complaint(
            "the same image was masked in two ways", "install opencv and numpy again, and report it"
        )
    if took > _LONGEST:
        raise Complaint(
            f"masked, but an image takes {took:.1f} s once models are open",
            "look for what else keeps this machine busy",
        )
    return f"{picture.name} masked in {took:.2f} s, after {opened - took:.1f} s to open models and compile"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


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
