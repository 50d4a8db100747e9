"""Archives of others: each member once, stored as it is, no larger than a model needs."""

import json
import struct
import zipfile

import pytest
from model_files import MODEL, written

from maskgen.errors import ConfigurationError, ModelError
from maskgen.train.model.load import CONFIG, check_model_file
from maskgen.train.spec import read_spec


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CONFIG, json.dumps(MODEL) + " " * 1_000_000)


def duplicate(path):
    written(path, MODEL)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(CONFIG, "{}")


def edited(offset, values):
    """Writes a model, and then `values` into the entry of its first member in the zip directory."""

    def write(path):
        written(path, MODEL)
        data = bytearray(path.read_bytes())
        start = data.index(b"PK\x01\x02") + offset
        data[start : start + len(values)] = values
        path.write_bytes(data)

    return write


HOSTILE_ARCHIVES = {
    "empty": (lambda path: path.write_bytes(b""), "not a zip"),
    "no zip": (lambda path: path.write_bytes(b"keras" * 100), "not a zip"),
    "cut": (lambda path: path.write_bytes(written(path, MODEL).read_bytes()[:-30]), "not a zip"),
    "damaged": (
        lambda path: path.write_bytes(written(path, MODEL).read_bytes().replace(b"Dense", b"Danse")),
        "CRC",
    ),
    "compressed": (bomb, "is compressed"),
    "two of one name": (duplicate, "two members"),
    "encrypted": (edited(8, struct.pack("<H", 1)), "encrypted|password"),
    "other sizes": (edited(24, struct.pack("<I", 1 << 20)), "compressed"),
    "far too large": (edited(20, struct.pack("<II", 1 << 30, 1 << 30)), "too large"),
    "beyond its end": (edited(20, struct.pack("<II", 1 << 20, 1 << 20)), "overlap"),
    "not there": (edited(42, struct.pack("<I", 1 << 30)), "not a .keras"),
    "other member": (lambda path: written(path, MODEL, **{"assets/x.txt": b"x"}), "'assets/x.txt' is none"),
    "a path outside": (lambda path: written(path, MODEL, **{"../../x": b"x"}), "is none"),
    "no description": (lambda path: zipfile.ZipFile(path, "w").close(), "config.json"),
}


@pytest.mark.parametrize("kind", HOSTILE_ARCHIVES)
def test_a_hostile_archive_is_one_line(tmp_path, kind):
    write, said = HOSTILE_ARCHIVES[kind]
    write(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=said) as caught:
        check_model_file(tmp_path / "model.keras")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ConfigurationError, match="not a model that `maskgen train` wrote"):
        read_spec(tmp_path / "model.keras")
