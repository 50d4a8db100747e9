"""Read a file within the limit, and its bytes as arrays of numbers."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.errors import ModelError
from maskgen.train.model.load import LARGEST_WEIGHTS


def read_whole(path: Path) -> bytes:
    """Read a file; `ModelError` if it is larger than 1 GiB."""
    if (size := path.stat().st_size) > LARGEST_WEIGHTS:
        raise ModelError(f"{path}: it has {size:,} bytes, more than {LARGEST_WEIGHTS:,}")
    return path.read_bytes()


def itemsize(dtype: str) -> int:
    """Bytes of a number; numpy has no bfloat16."""
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def as_float32(data: bytes | memoryview, dtype: str) -> NDArray[Any]:
    """Decode little-endian bytes to a vector; floating-point numbers become float32.

    A bfloat16 is the upper half of a float32.
    """
    if dtype == "bfloat16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    numbers = np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))
    return numbers.astype(np.float32) if numbers.dtype.kind == "f" else numbers
