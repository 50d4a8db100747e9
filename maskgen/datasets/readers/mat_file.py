"""Read one struct of a Matlab file in a child process.

scipy's reader crashes on some files with a few changed bytes, and needs several times the table's memory.
"""

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from maskgen.errors import AnnotationError
from maskgen.files.remote import local_copy
from maskgen.limits import MAX_MATLAB_BYTES

# Bytes before the elements, the type of a compressed element, and the block size for decompression.
_HEADER, _COMPRESSED, _BLOCK = 128, 15, 1 << 20
_MOST_MEMORY = 8 << 30  # address space of the child, in bytes: a few damaged bytes can ask for huge arrays
# The child uses the parent's import path.
_CHILD = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from maskgen.datasets.readers import mat_file
mat_file.print_columns(*json.loads(sys.argv[2]))
"""


def read_columns(
    path: Path, variable: str, texts: Sequence[str], numbers: Sequence[str]
) -> dict[str, list[Any]]:
    """Read the existing fields of a struct as lists of one length: texts (or None) and floats."""
    with local_copy(path) as file:
        if _decompressed_size(file) > MAX_MATLAB_BYTES:
            limit = f"{MAX_MATLAB_BYTES >> 20} MiB, the limit for Matlab files"
            raise AnnotationError(
                f"{path}: decompresses to more than {limit}; download the published file again"
            )
        arguments = [json.dumps(sys.path), json.dumps([str(file), variable, texts, numbers])]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", _CHILD, *arguments]
        child = subprocess.run(command, env=environment, capture_output=True, check=False)
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines and child.returncode > 0 else "the reader crashed; is the file damaged?"
        raise AnnotationError(f"{path}: expected a Matlab file with a struct {variable!r}: {reason}")
    return cast(dict[str, list[Any]], json.loads(child.stdout))


def _decompressed_size(file: Path) -> int:
    """The size of a Matlab file after decompression, counted up to the limit and without keeping the data."""
    size = file.stat().st_size
    with file.open("rb") as data:
        order = ">" if data.read(_HEADER).endswith(b"MI") else "<"
        while size <= MAX_MATLAB_BYTES and len(tag := data.read(8)) == 8:
            kind, length = struct.unpack(f"{order}II", tag)
            if kind == _COMPRESSED:
                size += _decompressed_element_size(data, length, order)
            else:
                data.seek(length, os.SEEK_CUR)
    return size


def _decompressed_element_size(data: BinaryIO, length: int, order: str) -> int:
    size, decompressor = 0, zlib.decompressobj()
    with suppress(zlib.error):
        while length > 0 and size <= MAX_MATLAB_BYTES and (part := data.read(min(length, _BLOCK))):
            length -= len(part)
            while part and size <= MAX_MATLAB_BYTES:
                block = decompressor.decompress(part, _BLOCK)
                if size == 0 and len(block) >= 8:  # an element begins with its type and size
                    declared = int(struct.unpack_from(f"{order}4xI", block)[0])
                    if declared > MAX_MATLAB_BYTES:
                        return declared
                size += len(block)
                part = decompressor.unconsumed_tail
        data.seek(length, os.SEEK_CUR)
    return size


def print_columns(path: str, variable: str, texts: Sequence[str], numbers: Sequence[str]) -> None:
    """`read_columns` in the child: print the columns as JSON."""
    from scipy.io import loadmat

    with suppress(ImportError, OSError, ValueError):  # not every system supports the limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([_MOST_MEMORY, *limits]), hard))
    try:
        table = loadmat(path)[variable][0, 0]
        fields = {name: table[name][0] for name in table.dtype.names}
        columns = {name: [_text(cell) for cell in fields[name]] for name in texts if name in fields}
        columns |= {name: fields[name].astype(float).tolist() for name in numbers if name in fields}
        if len({len(column) for column in columns.values()}) != 1:
            raise ValueError("its fields are missing or differ in length")
        json.dump(columns, sys.stdout)
    except Exception as error:  # scipy raises anything for a damaged file
        sys.exit(f"{type(error).__name__}: {error}")


def _text(cell: Any) -> str | None:
    """The text of a cell of `loadmat`: a string wrapped in arrays, or an empty array."""
    while not isinstance(cell, str):
        if not getattr(cell, "size", 0):
            return None
        cell = cell.flat[0]
    return str(cell)
