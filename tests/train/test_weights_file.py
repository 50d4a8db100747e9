"""HDF5 files of others: arrays that lie in the file, and nothing that points elsewhere or is larger."""

import pytest
from model_files import external_storage, hdf5

from maskgen.errors import ModelError
from maskgen.train.model import load
from maskgen.train.model.load import count_numbers


# What an HDF5 file may name outside of itself, or be larger than it is, as a function on its root.
def virtual(h5py, root):
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    root.create_virtual_dataset("x", layout)


def long_text(h5py, root):
    root.attrs["layer_names"] = ["x" * 100_000]


HOSTILE_WEIGHTS = {
    "external link": (
        lambda h5, root: root.__setitem__("x", h5.ExternalLink("/etc/passwd", "/")),
        "is a link",
    ),
    "soft link": (lambda h5, root: root.__setitem__("x", h5.SoftLink("/elsewhere")), "is a link"),
    "deep link": (lambda h5, root: root.create_group("a/b").__setitem__("x", h5.SoftLink("/a")), "/a/b/x is"),
    "external storage": (external_storage, "does not lie in the file"),
    "virtual": (virtual, "does not lie in the file"),
    "never written": (
        lambda h5, root: root.create_dataset("x", (1 << 40,), "f4"),
        "does not lie in the file",
    ),
    "compressed": (
        lambda h5, root: root.create_dataset("x", data=[0] * 10_000, compression="gzip"),
        "does not lie in the file",
    ),
    "chunks": (
        lambda h5, root: root.create_dataset("x", (1,), "f4", maxshape=(None,), chunks=(1 << 20,)),
        "does not lie in the file",
    ),
    "texts": (lambda h5, root: root.__setitem__("x", ["text"]), "no array of numbers"),
    "references": (lambda h5, root: root.create_dataset("x", (2,), h5.ref_dtype), "no array of numbers"),
    "no shape": (lambda h5, root: root.__setitem__("x", h5.Empty("f4")), "no array of numbers"),
    "attribute of a long text": (long_text, "attribute 'layer_names' of /"),
}


@pytest.mark.parametrize("kind", HOSTILE_WEIGHTS)
def test_weights_that_do_not_lie_in_their_file_are_refused(kind):
    write, said = HOSTILE_WEIGHTS[kind]
    with pytest.raises(ModelError, match=said):
        count_numbers(hdf5(write))


def test_weights_are_counted_without_being_read():
    def write(h5py, root):
        root["layers/dense/vars/0"] = [[1.0, 2.0]] * 3
        root["layers/dense/vars/1"] = 7
        root["again"] = root["layers"]
        root["layers/round"] = root
        root.attrs["layer_names"] = [b"dense"]
        root.attrs["backend"] = "tensorflow"

    assert count_numbers(hdf5(write)) == 7


def test_the_arrays_of_a_file_are_limited_together(monkeypatch):
    file = hdf5(lambda h5py, root: [root.__setitem__(name, [1.0] * 100) for name in "abc"])
    assert count_numbers(file) == 300
    monkeypatch.setattr(load, "LARGEST_WEIGHTS", 2_000)
    with pytest.raises(ModelError, match="its arrays have 2,400 bytes"):
        count_numbers(file)
