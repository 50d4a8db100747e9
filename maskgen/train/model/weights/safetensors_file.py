"""Read a ``.safetensors`` file as numpy arrays.

The format is documented, and small enough that the package `safetensors` is not needed: eight bytes with the
length of a JSON header, the header (name -> type, shape, and place in the rest), and the numbers themselves.
"""

import math
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from maskgen.errors import ModelError
from maskgen.files.json_text import from_json
from maskgen.keras_runtime import one_line
from maskgen.train.model.weights.stored_numbers import as_float32, itemsize, read_whole

# The limit of the reference implementation.
LARGEST_HEADER = 100_000_000
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Read the tensors by name; floating-point ones become float32.

    `ModelError` if the file is damaged or larger than 1 GiB, or a tensor lies outside of it.
    """
    data = read_whole(path)
    try:
        length = int.from_bytes(data[:8], "little")
        if len(data) < 8 or length > min(len(data) - 8, LARGEST_HEADER):
            raise ModelError(f"its header is said to have {length:,} bytes, and the file has {len(data):,}")
        header = from_json(data[8 : 8 + length])
        if not isinstance(header, dict):
            raise ModelError("its header is not a table of tensors")
        numbers = memoryview(data)[8 + length :]
        header.pop("__metadata__", None)
        entries = {name: _checked(name, entry, len(numbers)) for name, entry in header.items()}
        if sum(end - start for _, _, start, end in entries.values()) > len(numbers):
            raise ModelError("its tensors overlap")
        return {
            name: as_float32(numbers[start:end], dtype).reshape(shape)
            for name, (dtype, shape, start, end) in entries.items()
        }
    except (ModelError, ValueError) as error:
        raise ModelError(f"{path}: not a safetensors file: {one_line(error)}") from error


def _checked(name: str, entry: Any, size: int) -> tuple[str, list[int], int, int]:
    """Type, shape, start and end of a tensor, whose bytes are inside of `size`."""
    match entry:
        case {"dtype": str(code), "shape": list(shape), "data_offsets": [start, end]}:
            numbers = [*shape, start, end]
        case _:
            raise ModelError(f"the tensor {name[:80]!r} has no dtype, shape and data_offsets")
    dtype = DTYPES.get(code)
    if dtype is None or not all(type(each) is int and each >= 0 for each in numbers):
        raise ModelError(f"the tensor {name[:80]!r} has the type {code[:20]!r}, or a shape that is none")
    if not (start <= end <= size and end - start == math.prod(shape) * itemsize(dtype)):
        raise ModelError(f"the tensor {name[:80]!r} of shape {shape} does not fit its place in the file")
    return dtype, shape, start, end
