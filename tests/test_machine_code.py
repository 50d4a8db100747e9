"""Where compiled code is read from and written to, on machines that let little be written."""

import os
from pathlib import Path

import numba
import numpy as np
import pytest

from maskgen import jit as code_cache
from maskgen import jit as machine_code
from maskgen.jit import compiled
from maskgen.process import cache_folder


def _double(values):
    total = 0.0
    for value in values:
        total += 2.0 * value
    return total


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A function that says which folders are read, and which is written to."""

    def use(*read, kept):
        monkeypatch.setattr(code_cache, "code_folders", lambda: tuple(tmp_path / name for name in read))
        monkeypatch.setattr(code_cache, "writable_folder", lambda: kept and tmp_path / kept)
        code_cache._warn_not_cached.cache_clear()

    return use


def hits_and_misses():
    """How often a new process would find the function's code, and how often not."""
    made = compiled(_double)
    assert made(np.array([1.0, 2.5])) == 7.0
    return sum(made.stats.cache_hits.values()), sum(made.stats.cache_misses.values())


def test_code_is_read_from_folders_that_cannot_be_written(folders, caplog):
    folders("user", "package", kept="package")
    assert hits_and_misses() == (0, 1)
    folders("user", "package", kept=None)
    assert hits_and_misses() == (1, 0)
    assert caplog.text == ""
    assert not numba.config.CACHE_DIR or "package" not in numba.config.CACHE_DIR


@pytest.mark.parametrize("kept", [None, "a file/below"])
def test_code_that_cannot_be_kept_is_said_once_with_the_variable_to_set(folders, tmp_path, caplog, kept):
    (tmp_path / "a file").touch()
    folders("a file/below", kept=kept)
    assert [hits_and_misses(), hits_and_misses()] == [(0, 1)] * 2
    (said,) = caplog.messages
    assert "cannot be cached" in said and "set NUMBA_CACHE_DIR to a writable folder" in said


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("size", [0, 40])
def test_a_damaged_file_is_compiled_and_written_again(folders, tmp_path, suffix, size):
    folders("package", kept="package")
    assert hits_and_misses() == (0, 1)
    (damaged,) = tmp_path.rglob(f"*.{suffix}")
    damaged.write_bytes(damaged.read_bytes()[:size])
    assert hits_and_misses() == (0, 1)
    assert hits_and_misses() == (1, 0)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in ``tmp_path/package``, a home beside it, and nothing remembered of others."""
    monkeypatch.setattr(machine_code, "PACKAGE", tmp_path / "package")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "package").mkdir()
    yield tmp_path
    forget()


def forget():
    machine_code.code_folders.cache_clear()
    machine_code.writable_folder.cache_clear()


@pytest.mark.parametrize(
    ("unwritable", "variable", "kept"),
    [
        ((), None, "package/__pycache__"),
        (("package/__pycache__",), None, "home/maskgen"),
        (("package/__pycache__", "home"), None, None),
        ((), "given", "given"),
        (("given",), "given", None),
    ],
)
def test_code_is_kept_where_the_user_says_or_else_in_the_first_folder_that_can_be_written(
    package, monkeypatch, unwritable, variable, kept
):
    for name in unwritable:
        # A file in the place of a folder, which keeps root out too.
        (package / name).touch()
    if variable:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(package / variable))
    forget()
    found = machine_code.writable_folder()
    assert (found and found.parent) == (kept and package / kept)
    assert all(package in folder.parents for folder in machine_code.code_folders())


@pytest.mark.parametrize(("place", "removed"), [("package/__pycache__", True), ("shared", False)])
def test_a_new_folder_takes_the_place_of_older_ones_in_the_packages_own_cache(package, place, removed):
    other, new = (package / place / f"maskgen-{name}" for name in ("0123", "4567"))
    other.mkdir(parents=True)
    machine_code.make_folder(new)
    assert new.is_dir()
    assert other.is_dir() != removed


@pytest.mark.parametrize(
    ("given", "home", "found"),
    [
        ("/var/cache/me", "/home/me", "/var/cache/me/maskgen"),
        ("", "/home/me", "/home/me/.cache/maskgen"),
        ("relative", "/home/me", "/home/me/.cache/maskgen"),
        ("/var/cache/me", None, "/var/cache/me/maskgen"),
        ("", None, None),
    ],
)
@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="others have other customs")
def test_the_users_cache_folder_with_and_without_a_home(monkeypatch, given, home, found):
    def no_line(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", no_line)
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    if home is None:
        monkeypatch.delenv("HOME", raising=False)
    else:
        monkeypatch.setenv("HOME", home)
    assert cache_folder() == (found and Path(found))


@pytest.mark.parametrize(
    ("name", "content", "changes"),
    [
        ("masking/garment/parts.py", "WIDTH = 2\n", True),
        ("face_mesh.py", "POINTS = 468\n", True),
        ("run/kernel.py", "from maskgen.jit import compiled\n", True),
        ("run/job.py", "PARTS = 2\n", False),
    ],
)
def test_code_is_not_kept_once_a_constant_of_a_kernel_may_have_changed(package, name, content, changes):
    before = machine_code.code_folders()
    path = package / "package" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    forget()
    assert (machine_code.code_folders() != before) == changes
