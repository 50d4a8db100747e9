"""A path that the system does not take is the matter of one row, wherever it is met."""

import os
from contextlib import suppress

import pytest
from small_runs import face, flat, job

from maskgen.landmarks.landmark_file import write_landmark_file
from maskgen.results.card import write_report
from maskgen.results.manifest import read_manifest
from maskgen.run.job import run
from maskgen.verify.result import Verifier


def deep_image(root, folders, data):
    """Makes an image below folders whose path may be too long to be opened."""
    folder = os.open(root, os.O_RDONLY)
    for name in folders:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        folder, parent = os.open(name, os.O_RDONLY, dir_fd=folder), folder
        os.close(parent)
    file = os.open("1.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=folder)
    os.write(file, data)
    os.close(file)
    os.close(folder)


@pytest.fixture
def long_paths(tmp_path):
    """A root with an image 1,200 folders deep, one beyond the longest path, and one just below that."""
    root = flat(tmp_path / "faces", "a.jpg")
    data = (root / "a.jpg").read_bytes()
    near = 4085 - len(os.fsencode(root))
    deep = (["d"] * 1200, ["x" * 250] * 20, [*["n" * 199] * (near // 200), "n" * (near % 200 or 1)])
    for folders in deep:
        deep_image(root, folders, data)
    names = ["a.jpg", "/".join((*deep[0], "1.jpg")), "/".join((*deep[2], "1.jpg"))]
    write_landmark_file(
        root.with_name("faces_landmarks.jsonl"), [(name, (120, 140), [face((120, 140))]) for name in names]
    )
    yield root
    # pytest's own removal recurses.
    os.system(f"rm -rf '{tmp_path}'")


@pytest.mark.parametrize("layout", ["mirror", "folders", "webdataset"])
def test_a_path_that_is_too_long_is_the_matter_of_its_row(long_paths, tmp_path, layout):
    out = tmp_path / "a-longer-name"
    run(job(long_paths, out, layout=layout, pairs=True, alpha=True, label=None), progress=False)
    found = {row.id[0]: (row.status, row.reason) for row in read_manifest(out / "manifest.jsonl")}
    assert found["a"] == found["d"] == ("masked", None)
    assert found["x"] == ("unreadable", os.strerror(36))
    assert found["n"][0] == ("error" if layout == "mirror" else "masked")
    assert layout != "mirror" or "shorter --out" in found["n"][1]
    assert list(Verifier(out).run()) == []
    write_report(out, root=long_paths)
    run(job(long_paths, out, layout=layout, pairs=True, label=None), progress=False, overwrite=True)
