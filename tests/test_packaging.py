"""What is published: the contents of wheel and sdist, and that the wheel works away from the clone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import maskgen
from maskgen.results.manifest import read_manifest

pytest.importorskip("build")
setuptools = pytest.importorskip("setuptools")
if int(setuptools.__version__.split(".")[0]) < 77:
    pytest.skip("setuptools is older than 77", allow_module_level=True)

REPOSITORY = Path(__file__).parents[1]
LARGEST_WHEEL, LARGEST_SDIST = 12e6, 25e6
AT_TOP = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff")


def run(*arguments, **more):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The sdist, and the wheel that is built from it, of a copy of the clone; no network is needed."""
    source = tmp_path_factory.mktemp("package") / "source"
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info", "maskgen-*")
    for folder in ("maskgen", "mask_templates", "tests", "examples"):
        shutil.copytree(REPOSITORY / folder, source / folder, ignore=skipped)
    for name in AT_TOP:
        shutil.copy(REPOSITORY / name, source / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", source.parent / "dist", source)
    return source.parent / "dist"


@pytest.fixture(scope="module")
def wheel(dist):
    (path,) = dist.glob("*.whl")
    return path


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_of(folder, *suffixes):
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    }


def test_the_wheel_has_all_of_the_package_and_nothing_else(wheel):
    code = files_of(
        "maskgen", ".py", ".json", ".md", ".jpg", ".txt", ".typed", ".html", ".js", ".css", ".csv"
    )
    templates = {f"maskgen/{name}" for name in files_of("mask_templates", ".json", ".png", ".py")}
    templates = {name for name in templates if "/drawing/" not in name}
    names = {name for name in names_in(wheel) if ".dist-info/" not in name}
    assert names - {"maskgen/py.typed"} == (code | templates) - {"maskgen/py.typed"}
    assert {"maskgen/py.typed", "maskgen/mask_templates/surgical_blue.json"} <= names


def test_the_metadata_are_those_of_the_project(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        told = message_from_bytes(archive.read(metadata))
        assert metadata.replace("METADATA", "licenses/LICENSE") in archive.namelist()
        entry_points = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    assert (told["Name"], told["Version"]) == ("maskgen", maskgen.__version__)
    assert (told["License-Expression"], told["Requires-Python"]) == ("MIT", ">=3.10")
    pythons = {f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)}
    assert pythons | {"Typing :: Typed"} <= set(told.get_all("Classifier"))
    assert "maskgen = maskgen.__main__:main" in entry_points
    assert told["Description-Content-Type"] == "text/markdown" and "# maskgen" in told.get_payload()


def test_the_sdist_has_what_a_build_needs_and_no_tests_or_drawing_scripts(dist):
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert set(AT_TOP) <= names
    folders = {name.partition("/")[0] for name in names if "/" in name}
    assert folders == {"maskgen", "mask_templates", "maskgen.egg-info"}
    assert not [name for name in names if "drawing" in name]
    assert path.stat().st_size < LARGEST_SDIST


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < LARGEST_WHEEL


def test_twine_finds_no_fault(dist):
    pytest.importorskip("twine")
    told = run(sys.executable, "-m", "twine", "check", "--strict", *dist.iterdir())
    assert told.count("PASSED") == 2


def test_the_installed_wheel_masks_the_sample(wheel, tmp_path):
    site = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = "import maskgen; print(maskgen.__file__)"
    place = run(sys.executable, "-c", where, cwd=tmp_path, env=environment)
    assert Path(place.strip()).is_relative_to(site)
    arguments = ("synth", "--dataset", "sample", "--blend", "poisson", "-q")
    run(sys.executable, "-m", "maskgen", *arguments, cwd=tmp_path, env=environment)
    rows = list(read_manifest(tmp_path / "masked" / "sample" / "manifest.jsonl"))
    assert {row.status for row in rows} == {"masked"}


def test_the_container_file_copies_what_a_build_needs():
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*" and kept == {"maskgen", "mask_templates", *AT_TOP}
