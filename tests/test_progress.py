"""Long commands tell a terminal how far they are: rate, remaining time, and counts."""

import os
import struct
import sys

import pytest
from clusters import environment
from small_runs import masked, write_dataset

fcntl, pty, termios = map(pytest.importorskip, ("fcntl", "pty", "termios"))


def on_a_terminal(*arguments):
    """What a command writes to a terminal."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))  # rows and columns
    actions = [(os.POSIX_SPAWN_DUP2, follower, 2), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "maskgen", *map(str, arguments)],
        environment(),
        file_actions=actions,
    )
    os.close(follower)
    written = b""
    try:
        while data := os.read(leader, 65536):
            written += data
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(leader)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, written.decode()
    return written.decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("progress")
    masked(write_dataset(folder / "faces", count=10), folder / "out", alpha=True)
    return folder


def test_synth_counts_by_status(folder):
    landmarks = folder / "faces_landmarks.jsonl"
    source = ("--dataset", "folder", "--root", folder / "faces", "--landmarks", landmarks)
    text = on_a_terminal("synth", *source, "--out", folder / "again")
    assert "10/10" in text and "image/s" in text and "masked=8" in text and "no_face=2" in text


def test_landmarks_counts_faces(folder):
    source = ("--dataset", "folder", "--root", folder / "faces")
    text = on_a_terminal("landmarks", *source, "--out", folder / "found.landmarks")
    assert "10/10" in text and "image/s" in text and "with a face=" in text


def test_verify_counts_rows(folder):
    text = on_a_terminal("verify", folder / "out")
    assert "10/10" in text and "row/s" in text and "no differences" in text
