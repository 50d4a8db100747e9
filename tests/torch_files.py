"""Write PyTorch files without torch, in both of its layouts, as torch writes them."""

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np

STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage"}
MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


class Tensor:
    """A tensor as torch pickles it: a call of `_rebuild_tensor_v2` with a reference to its numbers."""

    def __init__(self, array, key, strides=None, offset=0, storage=None, shape=None):
        self.array, self.key = np.asarray(array, order="C"), key
        itemsize = self.array.itemsize
        self.strides = strides or tuple(step // itemsize for step in self.array.strides)
        self.offset, self.shape = offset, shape or self.array.shape
        self.storage = storage or STORAGES[self.array.dtype.name]


def _named(module, name):
    """A function or class that pickles under another module's name."""
    made = (
        types.new_class(name) if name.endswith("Storage") else types.FunctionType(_named.__code__, {}, name)
    )
    made.__module__, made.__qualname__ = module, name
    return made


class _Pickler(pickle._Pickler):
    """Python's own, which can be told to write names of modules that are not there."""

    def __init__(self, file, legacy):
        super().__init__(file, 2)
        self.legacy = legacy

    def save_global(self, obj, name=None):
        self.write(pickle.GLOBAL + f"{obj.__module__}\n{obj.__qualname__}\n".encode())
        self.memoize(obj)

    def persistent_id(self, obj):
        if not isinstance(obj, _Reference):
            return None
        tensor = obj.tensor
        identity = ("storage", _named("torch", tensor.storage), tensor.key, "cpu", tensor.array.size)
        return (*identity, None) if self.legacy else identity

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Tensor):
            rebuild = _named("torch._utils", "_rebuild_tensor_v2")
            arguments = (_Reference(obj), obj.offset, obj.shape, obj.strides, False, OrderedDict())
            return self.save_reduce(rebuild, arguments, obj=obj)
        if isinstance(obj, (types.FunctionType, type)) and obj.__module__.startswith("torch"):
            return self.save_global(obj)
        return super().save(obj, save_persistent_id)


class _Reference:
    def __init__(self, tensor):
        self.tensor = tensor


def tensors_of(arrays):
    """Tensors with storages of their own, by name."""
    return OrderedDict(
        (name, Tensor(array, str(number))) for number, (name, array) in enumerate(arrays.items())
    )


def _all_tensors(value):
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _all_tensors(each)


def _pickled(value, legacy=False):
    file = io.BytesIO()
    _Pickler(file, legacy).dump(value)
    return file.getvalue()


def write_zip(path, value, folder="archive", compression=zipfile.ZIP_STORED, data=None):
    """The layout since PyTorch 1.6; `data` replaces the pickle."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{folder}/data.pkl", _pickled(value) if data is None else data)
        archive.writestr(f"{folder}/byteorder", sys.byteorder)
        for key, tensor in {tensor.key: tensor for tensor in _all_tensors(value)}.items():
            archive.writestr(f"{folder}/data/{key}", tensor.array.tobytes())
        archive.writestr(f"{folder}/version", "3\n")
    return path


def write_sequence(path, value):
    """The layout before PyTorch 1.6."""
    sizes = {
        "protocol_version": VERSION,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    tensors = {tensor.key: tensor for tensor in _all_tensors(value)}
    parts = [pickle.dumps(each, 2) for each in (MAGIC, VERSION, sizes)]
    parts += [_pickled(value, legacy=True), pickle.dumps(sorted(tensors), 2)]
    for key in sorted(tensors):
        parts += [struct.pack("<q", tensors[key].array.size), tensors[key].array.tobytes()]
    path.write_bytes(b"".join(parts))
    return path
