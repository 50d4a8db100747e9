"""Read a PyTorch state dict (``.pth``, ``.pt``, ``.bin``) as numpy arrays, without torch.

Two layouts exist. Since PyTorch 1.6 the file is a zip archive: ``NAME/data.pkl`` describes the tensors, and
``NAME/data/KEY`` holds the numbers of a storage, uncompressed. Before, it was a sequence of pickles (a magic
number, a version, the machine, the state dict, the list of keys), then for each key a count and its numbers.
"""

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ModelError
from maskgen.keras_runtime import one_line
from maskgen.train.model.weights.stored_numbers import as_float32, itemsize, read_whole
from maskgen.train.model.weights.torch_pickle import Storage, StoredTensor, read_pickle

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
ZIP = b"PK\x03\x04"
# Where training scripts put the state dict in a larger dict.
NESTED = ("state_dict", "model_state_dict", "model")

Arrays = dict[str, NDArray[Any]]
ReadStorage = Callable[[Storage], bytes]


def read_torch_file(path: Path) -> Arrays:
    """Read the tensors of a state dict by name; floating-point ones become float32.

    `ModelError` if the file is damaged or larger than 1 GiB, or holds anything beside tensors.
    """
    data = read_whole(path)
    try:
        value, read = _open_zip(data) if data.startswith(ZIP) else _open_sequence(data)
        tensors = state_dict_in(value)
        total = sum(_bytes_of(tensor) for tensor in tensors.values())
        if total > len(data):
            raise ModelError(f"its tensors have {total:,} bytes, more than the file")
        return {name: _array(name, tensor, read) for name, tensor in tensors.items()}
    except (ModelError, zipfile.BadZipFile, KeyError, NotImplementedError) as error:
        raise ModelError(f"{path}: not a PyTorch state dict: {one_line(error)}") from error


def state_dict_in(value: Any) -> dict[str, StoredTensor]:
    """The tensors of a state dict or of a dict around it, without the prefix of parallel training."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in NESTED if isinstance(value.get(key), Mapping)), value)
        tensors = {
            name: tensor
            for name, tensor in value.items()
            if isinstance(name, str) and isinstance(tensor, StoredTensor)
        }
        if tensors:
            prefix = "module." if all(name.startswith("module.") for name in tensors) else ""
            return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    raise ModelError("it has no tensors with names; save model.state_dict()")


def _open_zip(data: bytes) -> tuple[Any, ReadStorage]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = {member.filename: member for member in archive.infolist()}
    if len(members) < len(archive.infolist()):
        raise ModelError("it has two members with one name")
    if any(each.compress_type != zipfile.ZIP_STORED for each in members.values()):
        raise ModelError("its members are compressed; torch does not compress them")
    if sum(each.file_size for each in members.values()) > len(data):
        raise ModelError("its members overlap")
    descriptions = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
    if len(descriptions) != 1:
        raise ModelError(f"it has {len(descriptions)} members data.pkl, not one")
    folder = descriptions[0].removesuffix("data.pkl")
    if f"{folder}byteorder" in members and archive.read(f"{folder}byteorder") != b"little":
        raise ModelError("its numbers are big-endian; save it again on another machine")

    def read(storage: Storage) -> bytes:
        return archive.read(f"{folder}data/{storage.key}")

    return read_pickle(archive.read(descriptions[0])).value, read


def _open_sequence(data: bytes) -> tuple[Any, ReadStorage]:
    magic = read_pickle(data)
    version = read_pickle(data, magic.end)
    machine = read_pickle(data, version.end)
    if magic.value != MAGIC or version.value != VERSION or not isinstance(machine.value, dict):
        raise ModelError("it is neither a zip archive nor a file of an older torch")
    if machine.value.get("little_endian") is not True:
        raise ModelError("its numbers are big-endian; save it again on another machine")
    content = read_pickle(data, machine.end)
    keys = read_pickle(data, content.end)
    position, places = keys.end, {}
    for key in keys.value if isinstance(keys.value, list) else ():
        if not isinstance(key, str) or (storage := content.storages.get(key)) is None:
            raise ModelError(f"it has the numbers of {str(key)[:80]!r}, which no tensor needs")
        length = itemsize(storage.dtype) * storage.size
        if int.from_bytes(data[position : position + 8], "little", signed=True) != storage.size:
            raise ModelError(f"its storage {key[:80]!r} has another count of numbers than its tensors need")
        places[key] = (position + 8, position + 8 + length)
        position += 8 + length
    if position > len(data):
        raise ModelError(f"it ends after {len(data):,} of {position:,} bytes")

    def read(storage: Storage) -> bytes:
        start, end = places[storage.key]
        return data[start:end]

    return content.value, read


def _bytes_of(tensor: StoredTensor) -> int:
    """The size of a tensor; `ModelError` if it is not a part of its storage."""
    storage, offset, shape, strides = tensor
    numbers = (offset, *shape, *strides) if isinstance(shape, tuple) and isinstance(strides, tuple) else ("",)
    if not isinstance(storage, Storage) or not all(type(each) is int and each >= 0 for each in numbers):
        raise ModelError("a tensor has no storage, shape or strides")
    last = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=False))
    count = math.prod(shape)
    # A tensor with more numbers than its storage repeats them.
    if len(shape) != len(strides) or count > storage.size or (count and last >= storage.size):
        raise ModelError(f"a tensor of shape {shape} lies outside of its storage of {storage.size:,} numbers")
    return int(count) * itemsize(storage.dtype)


def _array(name: str, tensor: StoredTensor, read: ReadStorage) -> NDArray[Any]:
    storage = tensor.storage
    data, length = read(storage), storage.size * itemsize(storage.dtype)
    if len(data) != length:
        raise ModelError(f"{name[:80]} needs {length:,} bytes, and {len(data):,} are there")
    numbers = as_float32(data, storage.dtype)
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)
    return view.copy()
