"""The exceptions maskgen raises, and the exit code each one ends a command with.

::

    MaskgenError                 2
    |- UsageError                2   options that contradict each other, an unknown name
    |- ConfigurationError        2   a config file, or an output folder of another configuration
    |- MissingDataError          2   a dataset, file or folder that is not where it was looked for
    |- AnnotationError           2   an annotation file that cannot be read, or that leads out of its root
    |- TemplateError             2   a mask template that cannot be used
    |- ModelError                2   a landmark model that cannot be found, fetched or opened
    |- LandmarkFileError         2   a precomputed landmark file that cannot be read
    |- ClusterError              2   a cluster that cannot be reached, or whose workers cannot do the work
    |- OutputError               2   an output that cannot be written: no space left, read-only, no permission
    |- MachineError              2   no temporary folder, a library that is missing, too many open files
    |- LostWorkersError          2   processes that die again and again, of memory or of a crash
    |- MissingExtraError         2   an optional package that a command needs and that is not installed
    |- TooManyErrorsError        1   more inputs ended in ``error`` than ``--max-errors`` allows
    |- InterruptedRunError     130   Ctrl-C in a training, which goes on by another command
    |- LeakError                 1   a person or image that is on both sides of a split
    `- UnreadableImageError      -   one image that cannot be decoded: becomes a row, ends no run

"No face found" is not an error but an outcome, and is returned as a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXIT_OK = 0
EXIT_TOO_MANY_ERRORS = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class MaskgenError(Exception):
    """Base of everything maskgen raises on purpose; the message says what, where, and what to do."""

    exit_code = EXIT_USAGE


class UsageError(MaskgenError):
    """Options that contradict each other, or a name that does not exist."""


class ConfigurationError(MaskgenError):
    """A config file that cannot be read, or an output folder that holds another configuration's run."""


class MissingDataError(MaskgenError):
    """A dataset, file or folder that is not where it was looked for."""


class AnnotationError(MaskgenError):
    """An annotation file that cannot be read, or a path in it that leaves the dataset's root."""


class TemplateError(MaskgenError):
    """A mask template whose image or description cannot be used."""


class ModelError(MaskgenError):
    """A landmark model that cannot be found, fetched, verified or opened."""


class LandmarkFileError(MaskgenError):
    """A precomputed landmark file that cannot be read."""


class ClusterError(MaskgenError):
    """A cluster that does not answer, or whose workers lack the files, versions or memory for the work."""


class OutputError(MaskgenError):
    """An output that cannot be written: no space is left, it is read-only, or someone else's."""


class MachineError(MaskgenError):
    """What the machine lacks for any image: a temporary folder, a library, a free file descriptor."""

    @classmethod
    def of(cls, error: OSError | ImportError) -> MachineError:
        """The error that ends the run, in place of a row that blames an image for it."""
        return cls(f"no image can be masked on this machine: {explain(error)}")


class LostWorkersError(MaskgenError):
    """A worker process died: of memory, of a crash in native code, or because someone killed it."""


class MissingExtraError(MaskgenError):
    """An optional package that a command needs and that is not installed."""


class InterruptedRunError(MaskgenError):
    """A training that was interrupted; the message has the command that goes on with it."""

    exit_code = EXIT_INTERRUPTED


class LeakError(MaskgenError):
    """A person, source image or duplicate that is in more than one split."""

    exit_code = EXIT_TOO_MANY_ERRORS


class TooManyErrorsError(MaskgenError):
    """The run finished or stopped with more errors than ``--max-errors`` allows."""

    exit_code = EXIT_TOO_MANY_ERRORS


class UnreadableImageError(MaskgenError):
    """One image that cannot be decoded. The message is the ``reason`` of its manifest row."""


def explain(error: OSError | ImportError) -> str:
    """What the system says, with the file it concerns and what to do about it."""
    said = (isinstance(error, OSError) and error.strerror) or str(error)
    if said.startswith("No usable temporary directory"):
        return f"{said}; set TMPDIR to a folder that can be written"
    where = getattr(error, "filename", None)
    return f"{said} ({where})" if where else said


@contextmanager
def output_errors(out: Path) -> Iterator[None]:
    """Makes an `OutputError` of what the system says when it does not let ``out`` be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written: {explain(error)}; the same command goes on where this one stopped"
        ) from error
