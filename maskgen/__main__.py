"""``python -m maskgen`` and the console script: runs a command and turns what ends it into an exit code."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence

import click

from maskgen.cli import ReaderGoneError, cli
from maskgen.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, MaskgenError, explain
from maskgen.files.redaction import redact
from maskgen.limits import limit_opencv
from maskgen.process import SELDOM, set_libraries

# The matrices here are small: more threads of BLAS would only wait for each other, and spin while they do.
# Said before anything imports numpy, and not where the user has said otherwise.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# OpenCV warns of each file that it cannot open, with the place in its own source; our message follows.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

# What a shell reports of a program that SIGPIPE ended, as in `maskgen templates | head -1`.
EXIT_BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name; ``sys.argv`` by default.

    Returns:
        The exit code: 0 done, 1 too many errors, 2 wrong usage or missing data, 130 interrupted, and 141
        when whoever read stdout went away.
    """
    gc.set_threshold(*SELDOM)
    _open_closed_streams()
    try:
        limit_opencv()
        set_libraries()
        code = cli.main(
            args=None if arguments is None else list(arguments), prog_name="maskgen", standalone_mode=False
        )
        sys.stdout.flush()
    except MaskgenError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        print(redact(shown.getvalue()), end="", file=sys.stderr)
        return EXIT_USAGE
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; run the same command again to go on", EXIT_INTERRUPTED, kind="")
    except (ReaderGoneError, BrokenPipeError):
        _leave_stdout()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        # Whatever could not be read or written that no command has foreseen: no space left, no permission.
        _leave_stdout()
        return _fail(explain(error), EXIT_USAGE)
    return code if isinstance(code, int) else EXIT_OK


def _open_closed_streams() -> None:
    """After `>&-` and the like the next file opened would be stdout, and get what libraries print there."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest number that is free: those below are open by now.
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)  # worker processes need the stream too
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _leave_stdout() -> None:
    """The interpreter flushes stdout once more when it ends, and would complain about a pipe or disk."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int, kind: str = "error: ") -> int:
    print(f"maskgen: {kind}{redact(message)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
