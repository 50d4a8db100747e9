"""Ends a run just before its k-th change to the file system below the output, in a forked process."""

import os
import sys

# Events of `sys.addaudithook` that change a file or folder; their first argument is its path. What only reads
# is left out: to end before it is to end after the change before it.
_EVENTS = frozenset(("open", "os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link"))
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
ENDED = 77


def ends_before(count, out, function):
    """Whether the function, called in a fork of this process, was ended before its so-manieth operation."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            sys.addaudithook(_ending(count, os.fspath(out)))
            function()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, ENDED)
    return code == ENDED


def _ending(count, below):
    """An audit hook that ends the process before the so-manieth operation on a path below a folder."""
    left = [count]

    def hook(event, arguments):
        if event not in _EVENTS or not _lies(arguments[0], below):
            return
        if event == "open" and not arguments[2] & _WRITES:
            return
        left[0] -= 1
        if left[0] == 0:
            os._exit(ENDED)

    return hook


def _lies(path, below):
    if isinstance(path, int) or path is None:
        return False
    path = os.fsdecode(path)
    # A relative name is one that `shutil.rmtree` removes from a folder that it holds open.
    return path.startswith(below) or not path.startswith("/")
