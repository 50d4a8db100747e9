"""Read the pickle inside a PyTorch file without running code.

A pickle is a program that may call whatever it can name. A state dict needs a handful of names; this reader
has a stand-in without effects for each, and refuses all others, and all instructions that a state dict does
not need. Python's documentation calls this "restricting globals".
"""

import io
import pickle
import pickletools
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

from maskgen.errors import ModelError

# Storage classes of torch -> types of numpy. They have no bfloat16, which is the upper half of a float32.
STORAGES = {
    "BFloat16Storage": "bfloat16",
    "BoolStorage": "bool",
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "IntStorage": "int32",
    "LongStorage": "int64",
    "ShortStorage": "int16",
}

SAVE_ALONE = "save the weights alone: torch.save(model.state_dict(), FILE)"

# Instructions that torch writes for numbers, texts, tuples, lists, dicts, calls and references.
OPCODES = frozenset(
    (
        *("PROTO", "FRAME", "STOP", "MARK", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
        *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        *("BINUNICODE", "SHORT_BINUNICODE", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
        *("EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS"),
        *("BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET"),
    )
)


class Storage(NamedTuple):
    """Numbers in the file, of which tensors show parts."""

    dtype: str  # a value of `STORAGES`
    key: str
    size: int  # count of its numbers


class StoredTensor(NamedTuple):
    """A tensor as its pickle describes it: nothing is checked yet."""

    storage: Any
    offset: Any  # of its first number in the storage
    shape: Any
    strides: Any  # in numbers


@dataclass(frozen=True)
class Pickle:
    """What a pickle holds, and where the next one begins."""

    value: Any
    storages: dict[str, Storage]  # by key
    end: int


def read_pickle(data: bytes, start: int = 0) -> Pickle:
    """Read the pickle that begins at `start`; `ModelError` if it holds anything beside a state dict."""
    end = _check_opcodes(data, start)
    reader = _Reader(io.BytesIO(data[start:end]))
    try:
        return Pickle(reader.load(), reader.storages, end)
    except ModelError:
        raise
    except Exception as error:
        # A damaged pickle can raise nearly any exception.
        raise ModelError(f"its pickle is damaged: {type(error).__name__}: {error}") from error


def _check_opcodes(data: bytes, start: int) -> int:
    """Check the instructions as data; returns the end of the pickle."""
    file = io.BytesIO(data)
    file.seek(start)
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name not in OPCODES:
                raise ModelError(
                    f"its pickle has the instruction {opcode.name}, which no state dict needs; {SAVE_ALONE}"
                )
            # The reader allocates its memo up to the largest number.
            if opcode.name == "LONG_BINPUT" and int(argument or 0) > len(data):
                raise ModelError("its pickle has more memory cells than bytes")
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"it is no state dict: {error}") from error
    return file.tell()


class _RebuildTensor:
    """Stand-in of ``torch._utils._rebuild_tensor_v2``. It has no attribute that a pickle could set."""

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> StoredTensor:
        return StoredTensor(storage, offset, shape, strides)


class _RebuildParameter:
    """Stand-in of ``torch._utils._rebuild_parameter``."""

    __slots__ = ()

    def __call__(self, tensor: Any, *_: Any) -> Any:
        return tensor


_STAND_INS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (stand_in := _STAND_INS.get((module_name, global_name))) is None:
            raise ModelError(
                f"it contains {module_name[:80]}.{global_name[:80]}, which is no part of a state dict and is "
                f"not run; {SAVE_ALONE}"
            )
        return stand_in

    def persistent_load(self, pid: Any, /) -> Storage:
        # ("storage", class, key, device, count), and in old files None for "not part of another storage"
        match pid:
            case ("storage", str(dtype), str(key), str(), int(count), *rest) if rest in ([], [None]):
                storage = Storage(dtype, key, count)
            case _:
                raise ModelError("its pickle refers to something that is no storage of numbers")
        if dtype not in STORAGES.values() or count < 0 or self.storages.setdefault(key, storage) != storage:
            raise ModelError(f"its storage {key[:80]!r} has no type or size, or two")
        return storage
