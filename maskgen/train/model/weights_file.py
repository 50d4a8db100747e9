"""HDF5 files with a model's weights: every array lies in the file itself, at its full size.

HDF5 can also name arrays in other files of the machine (external links, external storage, virtual datasets),
and declare arrays that are far larger than the file (chunks, fill values). Keras writes neither.
"""

from __future__ import annotations

import importlib
import io
import math
import re
from collections.abc import Iterator
from typing import Any

from maskgen.errors import ModelError

# The largest model that maskgen trains, EfficientNet-B7 with Adam, has 0.9 GB in 5,000 objects.
LARGEST_WEIGHTS = 1 << 30
MOST_OBJECTS = 50_000
# In bytes. A list of 1,000 texts has 16 kB, and its texts lie in heaps of 4 kB.
LARGEST_ATTRIBUTE = LARGEST_HEAP = 1 << 16


def count_numbers(data: bytes) -> int:
    """Check an HDF5 file and count the numbers in its arrays, without reading one.

    Args:
        data: The file's bytes.

    Returns:
        How many numbers all arrays have together.

    Raises:
        ModelError: The file points outside of itself, or declares arrays that it does not hold.
        OSError: It is no HDF5 file.
    """
    h5py: Any = importlib.import_module("h5py")
    numbers = total = 0
    with h5py.File(io.BytesIO(data), "r") as root:
        for name, part in _objects(h5py, root):
            _check_attributes(name, part, data)
            if isinstance(part, h5py.Group):
                continue
            _check_array(h5py, name, part)
            total += part.nbytes
            numbers += part.size
            if total > min(len(data), LARGEST_WEIGHTS):
                raise ModelError(f"its arrays have {total:,} bytes, more than the file or the limit")
    return numbers


def _objects(h5py: Any, root: Any) -> Iterator[tuple[str, Any]]:
    """Every group and array, by hard links only, each once."""
    waiting, known = [("/", root)], set()
    while waiting:
        name, part = waiting.pop()
        address = h5py.h5o.get_info(part.id).addr
        if address in known:
            continue
        known.add(address)
        yield name, part
        if not isinstance(part, h5py.Group):
            continue
        if len(part) + len(waiting) + len(known) > MOST_OBJECTS:
            raise ModelError(f"it has more than {MOST_OBJECTS:,} arrays and groups")
        for key in part:
            if not isinstance(part.get(key, getlink=True), h5py.HardLink):
                raise ModelError(f"{name}{key} is a link to another place, which weights never need")
            waiting.append((f"{name}{key}/", part[key]))


def _check_array(h5py: Any, name: str, part: Any) -> None:
    if not isinstance(part, h5py.Dataset) or part.shape is None or part.dtype.kind not in "biuf":
        raise ModelError(f"{name} is no array of numbers")
    layout = part.id.get_create_plist()
    plain = layout.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
    if not plain or layout.get_external_count() or part.id.get_storage_size() != part.nbytes:
        raise ModelError(f"{name} does not lie in the file as it is; save the weights by Keras again")


def _check_attributes(name: str, part: Any, data: bytes) -> None:
    """Keras reads short ones only. A list of texts can name one long text any number of times."""
    for key in part.attrs:
        attribute = part.attrs.get_id(key)
        large = math.prod(attribute.shape) * attribute.dtype.itemsize > LARGEST_ATTRIBUTE
        if large or (attribute.dtype.hasobject and _largest_heap(data) > LARGEST_HEAP):
            raise ModelError(f"the attribute {key!r} of {name} is larger than any that Keras writes")


def _largest_heap(data: bytes) -> int:
    """Size in bytes of the largest global heap, where HDF5 keeps texts of variable length."""
    starts = (found.start() + 8 for found in re.finditer(rb"GCOL\x01", data))
    return max((int.from_bytes(data[start : start + 8], "little") for start in starts), default=0)
