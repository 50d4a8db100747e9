"""What tensorflow says on stderr while it loads is not shown, unless it fails or is asked to speak."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from train_data import needs_train

from maskgen import keras_runtime

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def level_not_set(monkeypatch):
    monkeypatch.setattr(keras_runtime, "_LEVEL_IS_SET", False)


def written_below(text):
    """As a library in C++ writes: past Python, to file descriptor 2."""
    os.write(2, text.encode())


def test_what_is_said_while_loading_is_kept_for_the_log(capfd, caplog):
    with caplog.at_level(logging.DEBUG, "maskgen"), keras_runtime.quietly():
        written_below("E0000 Unable to register cuDNN factory\n")
    assert capfd.readouterr().err == ""
    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("DEBUG", "E0000 Unable to register cuDNN factory")
    ]
    written_below("and now\n")
    assert capfd.readouterr().err == "and now\n"


def test_what_is_said_before_it_fails_is_shown(caplog):
    with pytest.raises(ImportError), keras_runtime.quietly():
        written_below("libcudart.so: cannot open shared object file\n")
        raise ImportError("tensorflow")
    assert [each.levelname for each in caplog.records] == ["WARNING"]


@needs_train
@pytest.mark.parametrize("level", [None, "0"])
def test_nothing_is_said_unless_it_is_asked_for(level):
    known = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    program = "from maskgen.keras_runtime import keras; k = keras(); k.ops.ones((2,)); print(k.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**known, "PYTHONPATH": str(REPOSITORY), **({"TF_CPP_MIN_LOG_LEVEL": level} if level else {})},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") == 1
    if level is None:
        assert done.stderr == ""
