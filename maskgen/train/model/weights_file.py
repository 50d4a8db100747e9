"""Safety check for HDF5 weights files: every array is stored in the file, at its full size.

HDF5 can refer to other files (external links, external storage, virtual datasets) and declare arrays larger
than the file (chunks, fill values). Keras writes neither.
"""

from __future__ import annotations

import importlib
import io
import math
import re
from collections.abc import Iterator
from typing import Any

from maskgen.errors import ModelError

# The largest maskgen model, EfficientNet-B7 with Adam, has 0.9 GB in 5,000 objects.
LARGEST_WEIGHTS = 1 << 30
MOST_OBJECTS = 50_000
# In bytes. A list of 1,000 texts takes 16 kB, and its texts are stored in heaps of 4 kB.
LARGEST_ATTRIBUTE = LARGEST_HEAP = 1 << 16


def count_numbers(data: bytes) -> int:
    """Check the bytes of an HDF5 file, and count the numbers in its arrays without reading them."""
    h5py: Any = importlib.import_module("h5py")
    numbers = total = 0
    with h5py.File(io.BytesIO(data), "r") as root:
        for name, part in _objects(h5py, root):
            _check_attributes(name, part, data)
            if isinstance(part, h5py.Group):
                continue
            if not isinstance(part, h5py.Dataset) or part.shape is None or part.dtype.kind not in "biuf":
                raise ModelError(f"{name} is no array of numbers")
            layout = part.id.get_create_plist()
            plain = layout.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
            if not plain or layout.get_external_count() or part.id.get_storage_size() != part.nbytes:
                raise ModelError(
                    f"{name} does not lie in the file uncompressed; save the weights with Keras again"
                )
            total += part.nbytes
            numbers += part.size
            if total > min(len(data), LARGEST_WEIGHTS):
                raise ModelError(f"its arrays have {total:,} bytes, more than the file or the limit")
    return numbers


def _objects(h5py: Any, root: Any) -> Iterator[tuple[str, Any]]:
    """(name, object) of every group and array, each once; soft and external links are refused."""
    pending, visited = [("/", root)], set()
    while pending:
        name, part = pending.pop()
        address = h5py.h5o.get_info(part.id).addr
        if address in visited:
            continue
        visited.add(address)
        yield name, part
        children = part if isinstance(part, h5py.Group) else ()
        if len(children) + len(pending) + len(visited) > MOST_OBJECTS:
            raise ModelError(f"it has more than {MOST_OBJECTS:,} arrays and groups")
        for key in children:
            if not isinstance(part.get(key, getlink=True), h5py.HardLink):
                raise ModelError(f"{name}{key} is a link to another place; Keras writes no links")
            pending.append((f"{name}{key}/", part[key]))


def _check_attributes(name: str, part: Any, data: bytes) -> None:
    """Check the sizes of attributes; a list of texts can refer to one long text any number of times."""
    for key in part.attrs:
        attribute = part.attrs.get_id(key)
        large = math.prod(attribute.shape) * attribute.dtype.itemsize > LARGEST_ATTRIBUTE
        if attribute.dtype.hasobject:
            # A global heap stores texts of variable length; its size stands 8 bytes behind its signature.
            starts = (match.start() + 8 for match in re.finditer(rb"GCOL\x01", data))
            sizes = (int.from_bytes(data[start : start + 8], "little") for start in starts)
            large = large or any(size > LARGEST_HEAP for size in sizes)
        if large:
            raise ModelError(f"the attribute {key!r} of {name} is larger than any that Keras writes")
