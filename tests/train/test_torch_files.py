"""PyTorch and safetensors files: read without torch, and nothing in them is run or allocated unchecked."""

import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from torch_files import Tensor, tensors_of, write_sequence, write_zip
from train_data import needs_train

from maskgen.errors import ModelError
from maskgen.train.model.weights import stored_numbers
from maskgen.train.model.weights.safetensors_file import read_safetensors
from maskgen.train.model.weights.torch_file import read_torch_file
from maskgen.train.model.weights.torch_pickle import read_pickle

pytestmark = needs_train

ARRAYS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "conv.bias": np.array([0.5, -1], np.float16),
    "bn.num_batches_tracked": np.array(7, np.int64),
}


def assert_same(read, arrays=ARRAYS):
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].shape == array.shape, name
        assert read[name].dtype == (np.float32 if array.dtype.kind == "f" else array.dtype), name
        assert np.array_equal(read[name], array), name


@pytest.mark.parametrize("write", [write_zip, write_sequence])
def test_both_layouts_are_read(tmp_path, write):
    assert_same(read_torch_file(write(tmp_path / "net.pth", tensors_of(ARRAYS))))


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_a_state_dict_is_found_in_a_checkpoint_of_several_devices(tmp_path, key):
    tensors = {f"module.{name}": tensor for name, tensor in tensors_of(ARRAYS).items()}
    path = write_zip(tmp_path / "net.pt", {"epoch": 3, "best": 0.5, key: OrderedDict(tensors)})
    assert_same(read_torch_file(path))


def test_a_part_of_a_storage_with_strides_is_read(tmp_path):
    numbers = np.arange(12, dtype=np.float32)
    path = write_zip(
        tmp_path / "net.pth", {"w": Tensor(numbers, "0", strides=(1, 4), offset=1, shape=(3, 2))}
    )
    assert np.array_equal(read_torch_file(path)["w"], [[1, 5], [2, 6], [3, 7]])


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path):
    halves = np.array([0x3F80, 0xC020], np.uint16).view(np.float16)
    path = write_zip(tmp_path / "net.bin", {"w": Tensor(halves, "0", storage="BFloat16Storage")})
    assert read_torch_file(path)["w"].tolist() == [1.0, -2.5]


class Call:
    """Pickles as a call of a function."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ((os.system, ("touch {mark}",)), r"(posix|nt)\.system"),
        ((eval, ("open('{mark}', 'w')",)), r"__builtin__\.eval|builtins\.eval"),
        ((np.dtype, ("f4",)), r"numpy\.dtype"),
        ((OrderedDict.fromkeys, (("a",),)), r"getattr"),
    ],
)
@pytest.mark.parametrize("layout", ["zip", "sequence"])
def test_code_is_named_and_not_run(tmp_path, call, named, layout):
    mark, path = tmp_path / "ran", tmp_path / "net.pth"
    function, arguments = call
    arguments = tuple(each.format(mark=mark) if isinstance(each, str) else each for each in arguments)
    data = pickle.dumps({"weight": Call(function, arguments)}, 2)
    if layout == "zip":
        write_zip(path, {}, data=data)
    else:
        path.write_bytes(data)
    with pytest.raises(ModelError, match=named):
        read_torch_file(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        # An attribute set on a stand-in; a class without a call; an extension; an object.
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}(X\x01\x00\x00\x00aK\x01ub.", "damaged"),
        (b"\x80\x02ccollections\nOrderedDict\nN}(X\x01\x00\x00\x00aK\x01u\x86b.", "damaged"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02(ccollections\nOrderedDict\no.", "OBJ"),
        (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "NEWOBJ"),
        (b"\x80\x02Nr\xff\xff\xff\x7f.", "more memory cells than bytes"),
        (b"\x80\x02X\xff\xff\xff\x7fabc.", "no state dict"),
        (b"\x80\x02K\x01Q.", "no storage of numbers"),
        (b"\x80\x02", "no state dict"),
        (b"", "no state dict"),
    ],
)
def test_programs_that_are_no_state_dict_are_refused(program, said):
    with pytest.raises(ModelError, match=said):
        read_pickle(program)


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (Tensor(ARRAYS["conv.weight"], "0", shape=(1 << 40,), strides=(0,)), "outside of its storage"),
        (Tensor(ARRAYS["conv.weight"], "0", offset=20, shape=(5,), strides=(1,)), "outside of its storage"),
        (Tensor(ARRAYS["conv.weight"], "0", offset=-1, shape=(5,), strides=(1,)), "no storage, shape"),
        (Tensor(ARRAYS["conv.weight"], "0", shape=(2, 2), strides=(1,)), "outside of its storage"),
        (Tensor(ARRAYS["conv.weight"], "0", shape=("a",), strides=(1,)), "no storage, shape"),
        (Tensor(ARRAYS["conv.weight"], "0", storage="QInt8Storage"), "torch.QInt8Storage"),
    ],
)
def test_tensors_that_do_not_lie_in_the_file_are_refused(tmp_path, tensor, said):
    with pytest.raises(ModelError, match=said):
        read_torch_file(write_zip(tmp_path / "net.pth", {"w": tensor}))


def test_tensors_together_are_at_most_as_large_as_the_file(tmp_path):
    numbers = np.zeros(1000, np.float32)
    many = {f"w{number}": Tensor(numbers, "0") for number in range(100)}
    with pytest.raises(ModelError, match="more than the file"):
        read_torch_file(write_zip(tmp_path / "net.pth", many))


def test_damaged_files_are_refused(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "net.pth", tensors_of(ARRAYS), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="compressed"):
        read_torch_file(path)
    whole = write_zip(path, tensors_of(ARRAYS)).read_bytes()
    old = write_sequence(path, tensors_of(ARRAYS)).read_bytes()
    for data in (whole[:-100], whole[:100], old[:-1], old[:40], b"", b"\x00" * 100, b"%PDF-1.7"):
        path.write_bytes(data)
        with pytest.raises(ModelError, match=r"net\.pth: not a PyTorch state dict"):
            read_torch_file(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other", "")
    with pytest.raises(ModelError, match=r"0 members data\.pkl"):
        read_torch_file(path)
    with pytest.raises(ModelError, match="no tensors with names"):
        read_torch_file(write_zip(path, {"epoch": 3}))
    monkeypatch.setattr(stored_numbers, "LARGEST_WEIGHTS", 100)
    with pytest.raises(ModelError, match="more than 100"):
        read_torch_file(write_zip(path, tensors_of(ARRAYS)))


TYPES = {"float32": "F32", "float16": "F16", "int64": "I64"}


def safetensors(header, numbers=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def stored(arrays):
    header, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, array in sorted(arrays.items()):
        place = [len(numbers), len(numbers) + array.nbytes]
        header[name] = {"dtype": TYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": place}
        numbers += array.tobytes()
    return safetensors(header, numbers)


def test_safetensors_are_read(tmp_path):
    (tmp_path / "net.safetensors").write_bytes(stored(ARRAYS))
    assert_same(read_safetensors(tmp_path / "net.safetensors"), dict(sorted(ARRAYS.items())))


def entry(**changes):
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "header is said"),
        (struct.pack("<Q", 1 << 60) + b"{}", "header is said"),
        (safetensors(b"{"), "not a safetensors file"),
        (safetensors(b"[" * 100_000), "too many nested brackets"),
        (safetensors([]), "not a table"),
        (safetensors({"w": 3}, bytes(8)), "no dtype, shape"),
        (safetensors(entry(dtype="F8_E4M3"), bytes(8)), "has the type 'F8_E4M3'"),
        (safetensors(entry(shape=[1 << 40]), bytes(8)), "does not fit"),
        (safetensors(entry(shape=[-2]), bytes(8)), "shape that is none"),
        (safetensors(entry(shape=[True, 2]), bytes(8)), "shape that is none"),
        (safetensors(entry(data_offsets=[8, 16]), bytes(8)), "does not fit"),
        (safetensors({**entry(), "v": entry()["w"]}, bytes(8)), "overlap"),
    ],
)
def test_safetensors_that_do_not_fit_their_file_are_refused(tmp_path, data, said):
    (tmp_path / "net.safetensors").write_bytes(data)
    with pytest.raises(ModelError, match=said):
        read_safetensors(tmp_path / "net.safetensors")
