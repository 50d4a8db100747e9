"""Load an untrusted Keras model without running its code or reading other files.

Keras's ``safe_mode`` is not enough: older versions of Keras read other files, some layers run code, and a
small file can make any version allocate gigabytes. Checked first, as data: the zip archive, the configuration
(only layers, initializers, words and sizes of maskgen's backbones pass), the weights and the sizes of the
arrays. HDF5 weights can refer to other files (external links, external storage, virtual datasets) and declare
arrays larger than the file (chunks, fill values); Keras writes neither. Other formats are refused: an old
``.h5`` model may contain code.
"""

import importlib
import io
import math
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from maskgen.errors import MissingDataError, ModelError
from maskgen.files.json_text import from_json
from maskgen.keras_runtime import backend, keras, one_line, quietly

# The largest maskgen model, EfficientNet-B7 with Adam, has 0.9 GB in 5,000 objects.
LARGEST_WEIGHTS = 1 << 30
MOST_OBJECTS = 50_000
# In bytes. A list of 1,000 texts takes 16 kB, and its texts are stored in heaps of 4 kB.
LARGEST_ATTRIBUTE = LARGEST_HEAP = 1 << 16

CONFIG, WEIGHTS, SPEC = "config.json", "model.weights.h5", "maskgen.json"
# In bytes. The configuration of the largest model, EfficientNet-B7, has 1 MB.
LARGEST_MEMBERS = {
    CONFIG: 8 << 20,
    WEIGHTS: LARGEST_WEIGHTS + (64 << 20),
    SPEC: 1 << 20,
    "metadata.json": 1 << 20,
}
# Maximum size of a layer's output for one image; EfficientNet-B7 has 17 million numbers at 600 pixels.
LARGEST_OUTPUT = 1 << 28

# Module -> classes, as Keras writes them. The internal modules are Keras 3's own choice.
PARTS: dict[str | None, frozenset[str]] = {
    "keras.layers": frozenset(
        (
            *("Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D"),
            *("Dense", "DepthwiseConv2D", "Dropout", "GlobalAveragePooling2D", "InputLayer"),
            *("MaxPooling2D", "Multiply", "Normalization", "ReLU", "Rescaling", "Reshape", "ZeroPadding2D"),
        )
    ),
    "keras.initializers": frozenset(("GlorotUniform", "Ones", "VarianceScaling", "Zeros")),
    "keras": frozenset(("DTypePolicy", "Functional", "Sequential")),
    "keras.src.models.functional": frozenset(("Functional",)),
    "keras.src.ops.numpy": frozenset(("Add", "Multiply")),
    None: frozenset(("__keras_tensor__",)),
}

WORDS = frozenset(
    (
        *("hard_silu", "hard_swish", "linear", "relu", "sigmoid", "silu", "softmax", "swish"),
        *("float16", "float32", "mixed_float16", "channels_last", "same", "valid"),
        *("fan_avg", "fan_in", "fan_out", "truncated_normal", "uniform"),
    )
)
# Keys of free text: names and connections of layers.
NAMES = ("name", "class_name", "module", "registered_name", "keras_history", "input_layers", "output_layers")
IDENTIFIERS = ("shared_object_id", "seed")  # keys of numbers that are not sizes
LONGEST_NAME = 500
LARGEST_NUMBER = 1 << 16
MOST_LAYERS = 5_000


def load_model(path: Path | str) -> Any:
    """Load a ``.keras`` file, without an optimizer; `ModelError` if it fails a check."""
    backend()
    path = Path(path)
    config = check_model_file(path)
    numbers = check_weights(path, read_member(path, WEIGHTS))
    keras()
    with quietly():
        try:
            # Keras keeps its state per thread: a separate thread discards the state of the check.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(_check_size, config, numbers).result()
            return keras().models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:
            # Keras does not wrap the exceptions of its layers, numpy, h5py and TensorFlow.
            problem = one_line(error)
    raise ModelError(f"{path}: Keras cannot read it: {problem}")


def check_model_file(path: Path) -> dict[str, Any]:
    """Check the archive and the configuration of a ``.keras`` file as data.

    Returns the decoded configuration, without the optimizer.
    """
    if path.suffix != ".keras":
        raise ModelError(
            f"{path}: only .keras files are opened, because others may contain code; save it as .keras"
        )
    try:
        config: dict[str, Any] = from_json(read_member(path, CONFIG))
    except ValueError as error:
        raise ModelError(f"{path}: not a .keras file: {one_line(error)}") from error
    try:
        # It is not opened.
        config.pop("compile_config", None)
        check_config(config)
    except (ModelError, TypeError, LookupError, AttributeError) as error:
        raise ModelError(f"{path}: not opened: {one_line(error)}") from error
    return config


def check_weights(path: Path, data: bytes) -> int:
    """Check the bytes of a weights file, and return its count of numbers."""
    try:
        return count_numbers(data)
    except Exception as error:
        # h5py raises OSError, RuntimeError, KeyError, ValueError and others for damaged files.
        raise ModelError(f"{path}: its weights are not opened: {one_line(error)}") from error


def _check_size(config: dict[str, Any], stored: int) -> None:
    """Build the model without arrays, and compare the size of its weights with the file."""
    k = keras()
    with k.StatelessScope(initialize_variables=False):
        model = k.saving.deserialize_keras_object(config, safe_mode=True)
        needed = sum(math.prod(weight.shape) for weight in model.weights)
        largest = max(math.prod(filter(None, each.output.shape)) for each in _operations(model))
    if needed > stored:
        raise ModelError(f"its layers have {needed:,} weights, its file only {stored:,}")
    if largest > LARGEST_OUTPUT:
        raise ModelError(f"a layer has {largest:,} outputs for one image, more than {LARGEST_OUTPUT:,}")


def _operations(model: Any) -> Iterator[Any]:
    for each in getattr(model, "operations", None) or model.layers:
        yield from _operations(each) if hasattr(each, "layers") else (each,)


def read_member(path: Path, name: str) -> bytes:
    """Read a member of a ``.keras`` archive; `ModelError` if it is damaged, or Keras did not write it."""
    if not path.is_file():
        raise MissingDataError(f"{path}: this model does not exist")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            return archive.read(name)
    except Exception as error:
        # For damaged archives zipfile raises many types, from struct.error to RuntimeError.
        raise ModelError(f"{path}: not a .keras file: {one_line(error)}") from error


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Check that each member occurs once and uncompressed, so reading it cannot need more memory."""
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ValueError("it has two members with one name")
    for member in members:
        if member.file_size > LARGEST_MEMBERS.get(member.filename, 0):
            raise ValueError(f"its member {member.filename[:80]!r} is none of a model's, or is too large")
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(f"its member {member.filename} is compressed; Keras does not compress members")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members overlap")


def check_config(config: Any) -> None:
    """Raise `ModelError` if a ``config.json`` has a class, word or number that no model of maskgen has."""
    layers = 0
    pending = [("", config)]  # (nearest key, value)
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.items())
            if "class_name" in value:
                _check_part(value)
                layers += value.get("module") == "keras.layers"
        elif isinstance(value, list):
            pending.extend((key, each) for each in value)
        elif isinstance(value, str) and (len(value) > LONGEST_NAME if key in NAMES else value not in WORDS):
            raise ModelError(f"{key} {value[:80]!r} is in no model of maskgen")
        elif isinstance(value, (int, float)) and key not in IDENTIFIERS and not abs(value) <= LARGEST_NUMBER:
            raise ModelError(f"{key} is {value:.3g}, more than in any model of maskgen")
    if not isinstance(config, dict) or layers > MOST_LAYERS:
        raise ModelError(f"it is not a model of at most {MOST_LAYERS:,} layers")


def _check_part(part: dict[str, Any]) -> None:
    name, module = part["class_name"], part.get("module")
    registered = part.get("registered_name")
    allowed = isinstance(name, str) and isinstance(module, str | None) and name in PARTS.get(module, ())
    if not allowed or registered not in (None, name):
        origin = module if registered in (None, name) else registered
        raise ModelError(f"it needs {name!r} of {origin!r}, which no model of maskgen has")
    # This layer alone allocates arrays while it is created; an image has three channels.
    if name == "Normalization":
        channels, axis = part["build_config"]["input_shape"][-1], part["config"]["axis"]
        if channels != 3 or axis not in (-1, 3, [-1], [3]):
            raise ModelError("its Normalization does not have three channels")


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
            raise ModelError(
                f"the attribute {key!r} of {name} is larger than any that Keras writes beside weights; save "
                "a whole model as .keras"
            )
