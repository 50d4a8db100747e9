"""Entry point of ``python -m maskgen`` and the console script; maps exceptions to exit codes."""

import gc
import io
import os
import sys
from collections.abc import Sequence

import click

from maskgen.cli import cli
from maskgen.errors import EXIT_BROKEN_PIPE, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, MaskgenError, explain
from maskgen.files.redaction import redact
from maskgen.limits import limit_opencv
from maskgen.process import SELDOM, set_libraries


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, by default that of ``sys.argv``, and return its exit code.

    0 success, 1 too many errors, 2 wrong usage or missing data, 130 interrupted, 141 if the reader of stdout
    is gone.
    """
    gc.set_threshold(*SELDOM)
    _open_closed_streams()
    try:
        limit_opencv()
        set_libraries()
        code = cli.main(args=arguments, prog_name="maskgen", standalone_mode=False)
        sys.stdout.flush()
    except MaskgenError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        print(redact(text.getvalue()), end="", file=sys.stderr)
        return EXIT_USAGE
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; run the same command again to resume", EXIT_INTERRUPTED, kind="")
    except BrokenPipeError:
        _leave_stdout()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        # Read and write errors that no command handles: no space left, no permission.
        _leave_stdout()
        return _fail(explain(error), EXIT_USAGE)
    return code if isinstance(code, int) else EXIT_OK


def _open_closed_streams() -> None:
    """Open standard streams that are closed (`>&-`); otherwise the next opened file would become stdout."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # os.open returns the lowest free descriptor, which is ``number``: lower ones are open by now.
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)  # worker processes need the stream too
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _leave_stdout() -> None:
    """Redirect stdout to the null device: the final flush at exit would fail again on the pipe or disk."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int, kind: str = "error: ") -> int:
    print(f"maskgen: {kind}{redact(message)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
