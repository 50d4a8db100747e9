"""What the tests over real photographs share: the folder, the landmarks found once, runs of the command."""

import functools
import os
from pathlib import Path

import pytest
from real_pictures import read_faces
from real_runs import run_maskgen

from maskgen.landmarks import open_landmarker

# Set of photographs -> the adapter that reads it, where that has another name.
_ADAPTERS = {"in_the_wild": "folder", "aflw2000": "folder"}


@pytest.fixture(scope="session")
def photographs():
    """The folder that MASKGEN_FACES names, one dataset in each folder of it."""
    if "MASKGEN_FACES" not in os.environ:
        pytest.skip("MASKGEN_FACES is not set")
    return Path(os.environ["MASKGEN_FACES"])


@pytest.fixture(scope="session")
def landmarks_of(photographs, tmp_path_factory):
    """Name of a set -> its landmark file, written when it is first asked for."""
    folder = tmp_path_factory.mktemp("landmarks")

    @functools.cache
    def find(name):
        out = folder / f"{name}.jsonl"
        adapter = _ADAPTERS.get(name, name)
        run_maskgen(
            *("landmarks", "--dataset", adapter, "--root", photographs / name, "--out", out, "-j", 2, "-q")
        )
        return out

    return find


@pytest.fixture(scope="session")
def faces_of(photographs, landmarks_of):
    """(name of a set, how many) -> so many `Face`, the same ones every time."""
    return functools.cache(lambda name, count: read_faces(photographs / name, landmarks_of(name), count))


@pytest.fixture(scope="session")
def fifty_faces(faces_of):
    """Fifty faces of every kind that is not too large to be masked often."""
    return [*faces_of("lfw", 17), *faces_of("celeba", 17), *faces_of("utkface", 16)]


@pytest.fixture(scope="session")
def synth(photographs, landmarks_of, tmp_path_factory):
    """(group, set, options) -> the folder of that run, GROUP/SET, run when it is first asked for."""
    top = tmp_path_factory.mktemp("runs")

    @functools.cache
    def run(group, name, *options):
        out = top / group / name
        adapter = _ADAPTERS.get(name, name)
        fixed = ("--root", photographs / name, "--landmarks", landmarks_of(name), "--out", out)
        run_maskgen("synth", "--dataset", adapter, *fixed, "-j", 2, "-q", *options)
        return out

    return run


@pytest.fixture(scope="session")
def landmarker():
    found = open_landmarker()
    yield found
    found.close()
