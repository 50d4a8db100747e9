"""Reads one struct of a Matlab file, in a process of its own.

scipy's reader ends the whole process with a segmentation fault on some damaged files (seen with 1.17,
a few bytes changed), and keeps several times the size of the table in memory; the caller sees neither.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskgen.errors import AnnotationError
from maskgen.stores import local_copy

# The child finds what its parent found, wherever that was started and however it is installed.
_CHILD = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from maskgen.datasets import matlab
matlab.main()
"""
_DAMAGE = (OSError, ValueError, TypeError, AttributeError, LookupError, NotImplementedError, zlib.error)


def read_columns(
    path: Path, struct: str, texts: Sequence[str], numbers: Sequence[str]
) -> dict[str, list[Any]]:
    """Those of the fields that the struct has, as lists of one length: texts (or None) and floats.

    Raises:
        AnnotationError: The file cannot be read, or holds no such struct.
    """
    with local_copy(path) as file:
        arguments = [json.dumps(sys.path), str(file), struct, json.dumps([*texts]), json.dumps([*numbers])]
        child = subprocess.run([sys.executable, "-c", _CHILD, *arguments], capture_output=True, check=False)
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines and child.returncode > 0 else "the reader crashed; is the file damaged?"
        raise AnnotationError(f"{path}: expected a Matlab file with a struct {struct!r}: {reason}")
    columns: dict[str, list[Any]] = json.loads(child.stdout)
    return columns


def main() -> None:
    """What the child does: reads the file named in ``sys.argv`` and prints its columns as JSON."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path, struct, texts, numbers = sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), json.loads(sys.argv[5])
    try:
        table = loadmat(path)[struct][0, 0]
        fields = {name: table[name][0] for name in table.dtype.names}
        columns = {name: [_text(cell) for cell in fields[name]] for name in texts if name in fields}
        columns |= {name: fields[name].astype(float).tolist() for name in numbers if name in fields}
        if len({len(column) for column in columns.values()}) != 1:
            raise ValueError("its fields are missing or differ in length")
        json.dump(columns, sys.stdout)
    except (*_DAMAGE, MatReadError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _text(cell: Any) -> str | None:
    """A string as ``loadmat`` gives it: wrapped in an array, which is empty for an empty one."""
    while not isinstance(cell, str):
        if not getattr(cell, "size", 0):
            return None
        cell = cell.flat[0]
    return str(cell)
