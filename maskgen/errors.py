"""Exceptions of maskgen and their exit codes: 2 unless a class says otherwise.

"No face found" is an outcome, not an error: it is returned as a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXIT_OK = 0
EXIT_TOO_MANY_ERRORS = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141  # as shells report SIGPIPE: the reader of stdout is gone


class MaskgenError(Exception):
    """Base class of maskgen's exceptions. Messages say what is wrong, where, and what to do."""

    exit_code = EXIT_USAGE


class UsageError(MaskgenError):
    """Options that contradict each other, or a name that does not exist."""


class ConfigurationError(MaskgenError):
    """A config file that cannot be read, or an output folder that holds another configuration's run."""


class MissingDataError(MaskgenError):
    """A dataset, file or folder that does not exist."""


class AnnotationError(MaskgenError):
    """A label file that cannot be read, or a path in it that is outside the dataset's root."""


class TemplateError(MaskgenError):
    """A mask template whose image or description cannot be used."""


class ModelError(MaskgenError):
    """A landmark model that cannot be found, downloaded, verified or opened."""


class LandmarkFileError(MaskgenError):
    """A precomputed landmark file that cannot be read."""


class ClusterError(MaskgenError):
    """A cluster that does not answer, or whose workers lack the files, versions or memory for the work."""


class OutputError(MaskgenError):
    """An output that cannot be written: no space left, read-only, or no permission."""


class MachineError(MaskgenError):
    """A fault of the machine that affects every image: no temporary folder, library or free descriptor."""

    @classmethod
    def of(cls, error: OSError | ImportError) -> MachineError:
        """Wrap a system error, to end the run instead of blaming one image in its manifest row."""
        return cls(f"no image can be masked on this machine: {explain(error)}")


class LostWorkersError(MaskgenError):
    """Worker processes that die repeatedly: out of memory, a crash in native code, or an external kill."""


class MissingExtraError(MaskgenError):
    """An optional package that a command needs and that is not installed."""


class InterruptedRunError(MaskgenError):
    """A training interrupted by Ctrl-C; the message has the command that resumes it."""

    exit_code = EXIT_INTERRUPTED


class LeakError(MaskgenError):
    """A person, source image or duplicate in more than one split."""

    exit_code = EXIT_TOO_MANY_ERRORS


class TooManyErrorsError(MaskgenError):
    """A run with more failed inputs than ``--max-errors`` allows."""

    exit_code = EXIT_TOO_MANY_ERRORS


class UnreadableImageError(MaskgenError):
    """One image that cannot be decoded. The message is the ``reason`` of its manifest row."""


def explain(error: OSError | ImportError) -> str:
    """The system's error message, with the file name and, where known, the remedy."""
    message = (isinstance(error, OSError) and error.strerror) or str(error)
    if message.startswith("No usable temporary directory"):
        return f"{message}; set TMPDIR to a writable folder"
    file_name = getattr(error, "filename", None)
    return f"{message} ({file_name})" if file_name else message


@contextmanager
def output_errors(out: Path) -> Iterator[None]:
    """Convert an `OSError` in the block to an `OutputError` about ``out``."""
    try:
        yield
    except OSError as error:
        reason = f"cannot be written: {explain(error)}; run the same command again to resume"
        raise OutputError(f"{out} {reason}") from error
