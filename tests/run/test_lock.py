"""Who may work in an output folder at the same time."""

import shutil
import sys
from contextlib import ExitStack

import pytest

from maskgen.errors import ConfigurationError
from maskgen.run.state.output_claim import locked
from maskgen.run.state.run_dir import RunDir


@pytest.fixture
def folder(tmp_path):
    made = RunDir(tmp_path / "out")
    made.write("config.json", {})
    return made


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ((1, 1), (1, 1), False),
        ((1, 1), (1, 2), False),
        ((1, 2), (1, 1), False),
        ((1, 2), (1, 2), False),
        ((1, 2), (2, 2), True),
    ],
    ids=["two runs", "a run, then a share", "a share, then a run", "a share twice", "two shares"],
)
def test_who_may_work_beside_whom(folder, first, second, together):
    with ExitStack() as held:
        held.enter_context(locked(folder, first))
        if together:
            held.enter_context(locked(folder, second))
        else:
            with pytest.raises(ConfigurationError, match=f"another run is at work in {folder.out}"):
                held.enter_context(locked(folder, second))
    with locked(folder, second):
        pass


def test_a_lock_leaves_nothing_behind(folder):
    before = sorted(folder.out.rglob("*"))
    with locked(folder):
        pass
    assert sorted(folder.out.rglob("*")) == before


def test_where_nothing_can_be_locked_work_goes_on(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with locked(folder), locked(folder):
        pass


def test_a_folder_whose_run_was_removed_is_not_held(folder):
    shutil.rmtree(folder.folder)
    with pytest.raises(ConfigurationError), locked(folder):
        pass
