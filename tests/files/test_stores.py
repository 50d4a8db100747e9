"""What a URL is, which packages it takes, and what a store that does not answer comes to."""

import subprocess
import sys
from pathlib import Path

import pytest
from fsspec import register_implementation
from small_stores import fresh_memory

from maskgen.errors import ConfigurationError, UsageError
from maskgen.files import remote as stores
from maskgen.files.atomic import open_atomic
from maskgen.files.remote import (
    exists,
    is_remote,
    is_url,
    lies_in,
    location,
    names_in,
    read_each,
    remove_each,
)

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def memory():
    return fresh_memory("memory://stores")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket/faces", True),
        ("memory://x", True),
        ("file:///x", True),
        ("faces", False),
        ("/a/b://c", False),
        ("C:\\faces", False),
        ("-", False),
    ],
)
def test_a_url_is_what_begins_with_a_scheme(text, url):
    assert is_url(text) == url


def test_a_path_stays_a_path_and_loads_no_package():
    program = (
        "import sys; from maskgen.files.remote import exists, location, names_in; "
        "place = location('maskgen'); exists(place); names_in(place); print(type(place).__module__, "
        "[name for name in ('fsspec', 'upath') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stdout.strip() == "pathlib []"


@pytest.mark.parametrize("missing", ["upath", "fsspec"])
def test_without_the_packages_the_extra_is_named(missing):
    program = (
        f"import sys; sys.modules[{missing!r}] = None; from maskgen.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "synth", "--dataset", "folder", "--root", "s3://bucket/faces"],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == ConfigurationError.exit_code
    assert "s3://bucket/faces: URLs need" in done.stderr
    assert "pip install 'maskgen[cloud]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_driver_is_named():
    register_implementation("driverless", "no_such_package.System", errtxt="Install driverlessfs")
    with pytest.raises(
        ConfigurationError, match=r"driverless://x: .*for driverless:// .*Install driverlessfs"
    ):
        location("driverless://x")


def test_an_unknown_scheme_is_refused():
    with pytest.raises(UsageError, match=r"nosuch://x/y: .*such as s3://"):
        location("nosuch://x/y")


def test_a_store_that_does_not_answer_is_no_missing_file(memory, monkeypatch):
    assert exists(memory / "not-there") is False

    def refuse(self, path, **options):
        raise RuntimeError("no\ncredentials")

    monkeypatch.setattr(type(memory.fs), "info", refuse)
    with pytest.raises(
        ConfigurationError, match="memory://stores/x cannot be reached: RuntimeError: no cred"
    ):
        exists(memory / "x")


def test_a_file_is_uploaded_when_it_is_whole(memory):
    with open_atomic(memory / "a" / "whole") as file:
        file.write(b"half")
        assert names_in(memory) == []
        file.write(b"whole")
    with pytest.raises(ValueError, match="stop"), open_atomic(memory / "a" / "broken") as file:
        file.write(b"half")
        raise ValueError("stop")
    assert names_in(memory / "a") == ["whole"]
    assert (memory / "a" / "whole").read_bytes() == b"halfwhole"


def test_files_are_read_in_the_order_asked_for_and_removed_if_there(memory):
    paths = [memory / str(number) for number in range(40)]
    for path in paths:
        path.write_bytes(path.name.encode())
    assert list(read_each(paths[::-1])) == [path.name.encode() for path in paths[::-1]]
    remove_each([*paths[1:], memory / "not-there"])
    assert names_in(memory) == ["0"]


@pytest.mark.parametrize(
    ("inner", "outer", "lies"),
    [
        ("memory://a/b", "memory://a/b/", True),
        ("memory://a/b/c", "memory:///a/b", True),
        ("memory://a/bc", "memory://a/b", False),
        ("memory://a", "memory://a/b", False),
        ("memory://a/../b/c", "memory://b", True),
        ("memory://a", "memory://", True),
        ("local:///a/b", "memory://a/b", False),
    ],
)
def test_what_lies_in_what(inner, outer, lies):
    assert lies_in(location(inner), location(outer)) == lies


@pytest.mark.parametrize("text", ["memory://a/b/", "memory:///a/b", "memory://a/./c/../b"])
def test_one_place_has_one_name(text):
    assert str(location(text)) == "memory://a/b"


def test_what_is_remote(tmp_path):
    assert not is_remote(location(str(tmp_path)))
    assert not is_remote(location(f"file://{tmp_path}"))
    assert is_remote(location("memory://x")) and is_remote(stores.location(f"local://{tmp_path}"))
