"""What every adapter keeps to, checked on a tiny copy of its dataset."""

import json
import os
import random
from pathlib import Path

import pytest
from layouts import LAYOUTS

from maskgen.datasets import DATASETS, find_root, found, get_dataset
from maskgen.errors import AnnotationError, MissingDataError, UsageError
from maskgen.records import SPLITS

PICTURE = b"\xff\xd8\xff\xd9"
every_dataset = pytest.mark.parametrize("name", LAYOUTS)


@pytest.fixture
def copy_of(tree):
    def write(name: str) -> Path:
        return tree(
            {path: PICTURE if content is None else content for path, content in LAYOUTS[name].items()}
        )

    return write


def state(root: Path) -> dict[str, tuple]:
    return {
        str(path): (
            path.lstat().st_mtime_ns,
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [root, *root.rglob("*")]
    }


def test_every_dataset_has_a_layout_here():
    # The sample is no copy, and images in tars are no files: test_webdataset.py has its own checks.
    assert set(LAYOUTS) == set(DATASETS) - {"sample", "webdataset"}


@every_dataset
def test_lists_each_picture_once_with_legal_values(name, copy_of, read):
    root = copy_of(name)
    samples = read(name, root)
    pictures = {path for path, content in LAYOUTS[name].items() if content is None}
    assert pictures == {id for id, sample in samples.items() if sample.path.exists()}
    for sample in samples.values():
        assert sample.path == root / sample.relative
        assert sample.split in (*SPLITS, None)
        assert sample.attributes.get("gender") in ("male", "female", None)
        assert json.loads(json.dumps(sample.attributes, allow_nan=False)) == sample.attributes


@every_dataset
def test_lists_the_same_whatever_order_the_file_system_has(name, copy_of, monkeypatch):
    root = copy_of(name)
    expected = list(DATASETS[name].samples(root))
    scandir = os.scandir

    class Shuffled:
        def __init__(self, path):
            self.entries = sorted(scandir(path), key=lambda entry: random.Random(entry.name).random())

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(os, "scandir", Shuffled)
    assert list(DATASETS[name].samples(root)) == expected


@every_dataset
def test_is_found_by_its_layout_and_not_in_an_empty_folder(name, copy_of, tmp_path):
    assert find_root(DATASETS[name], copy_of(name)) == tmp_path / "root"
    if name != "folder":
        (tmp_path / "empty").mkdir()
        with pytest.raises(MissingDataError):
            find_root(DATASETS[name], tmp_path / "empty")


@every_dataset
def test_names_its_label_files_relative_to_the_root(name, copy_of):
    root = copy_of(name)
    files = DATASETS[name].annotations(root)
    assert all(not path.is_absolute() and (root / path).is_file() for path in files)
    labels = {
        path for path, content in LAYOUTS[name].items() if content is not None and "landmarks." not in path
    }
    assert {path.as_posix() for path in files} == labels


@every_dataset
def test_writes_nothing(name, copy_of):
    root = copy_of(name)
    before = state(root)
    list(DATASETS[name].samples(root))
    DATASETS[name].annotations(root)
    assert state(root) == before


@every_dataset
def test_reads_without_any_label_file(name, copy_of, read):
    root = copy_of(name)
    if name == "table":
        pytest.skip("a table is its label file")
    for path in DATASETS[name].annotations(root):
        (root / path).unlink()
    samples = read(name, root)
    assert set(samples) == {path for path, content in LAYOUTS[name].items() if content is None}
    if name not in ("utkface", "gender-folders", "folder", "widerface"):
        assert all("gender" not in sample.attributes and sample.note for sample in samples.values())


@every_dataset
def test_a_link_out_of_the_root_is_refused(name, copy_of, tmp_path):
    root = copy_of(name)
    (tmp_path / "secret.jpg").touch()
    picture = next(root / path for path, content in LAYOUTS[name].items() if content is None)
    picture.unlink()
    picture.symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(AnnotationError, match="link out of"):
        list(DATASETS[name].samples(root))


@every_dataset
def test_a_label_file_that_is_a_link_out_of_the_root_is_refused(name, copy_of, tmp_path):
    root = copy_of(name)
    for path in DATASETS[name].annotations(root)[:1]:
        (root / path).rename(tmp_path / "outside")
        (root / path).symlink_to(tmp_path / "outside")
        with pytest.raises(AnnotationError, match="link out of"):
            list(DATASETS[name].samples(root))


@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        ("fairface", "fairface_label_train.csv", "train/1.jpg", "../train/1.jpg"),
        ("widerface", "wider_face_split/wider_face_train_bbx_gt.txt", "0--", "/0--"),
        ("table", "table.csv", "faces/2", "/faces/2"),
        ("table", "table.csv", "faces/2", "faces/../../2"),
        ("table", "table.csv", "faces/2", "C:\\faces\\2"),
    ],
)
def test_a_path_out_of_the_root_in_a_label_file_is_refused_with_file_and_line(name, file, old, new, copy_of):
    root = copy_of(name)
    (root / file).write_text((root / file).read_text().replace(old, new))
    with pytest.raises(AnnotationError, match=rf"{Path(file).name}, line \d"):
        list(DATASETS[name].samples(root))


@every_dataset
def test_damaged_label_files_end_in_samples_or_in_the_documented_error(name, copy_of):
    root, draw = copy_of(name), random.Random(name)
    for file in DATASETS[name].annotations(root):
        data = (root / file).read_bytes()
        for _ in range(8 if file.suffix == ".mat" else 60):
            damaged = bytearray(data)
            for _ in range(draw.randint(1, 4)):
                place = draw.randrange(len(damaged) + 1)
                damaged[place : place + draw.randrange(12)] = draw.choice(
                    [b"", b"\0", b"\xff", b"\n", b",", b"-1", b'"']
                )
            (root / file).write_bytes(damaged)
            try:
                list(DATASETS[name].samples(root))
            except AnnotationError as error:
                assert Path(file).name in str(error)
        (root / file).write_bytes(data)


def test_the_embedded_sample_is_found_anywhere(monkeypatch, tmp_path, read):
    monkeypatch.chdir(tmp_path)
    samples = read("sample", find_root(DATASETS["sample"]))
    assert len(samples) >= 1
    assert {(s.identity, s.attributes["gender"]) for s in samples.values()} == {("Eileen Collins", "female")}


def test_looks_in_the_shared_folder_then_in_data_then_here(monkeypatch, tmp_path, tree):
    tree(
        None, "shared/utkface/UTKFace/1.jpg", "work/data/utkface/UTKFace/1.jpg", "work/utkface/UTKFace/1.jpg"
    )
    monkeypatch.chdir(tmp_path / "root/work")
    monkeypatch.delenv("MASKGEN_DATA", raising=False)
    utkface = get_dataset("utkface")
    assert find_root(utkface) == Path("data/utkface")
    monkeypatch.setenv("MASKGEN_DATA", str(tmp_path / "root/shared"))
    assert find_root(utkface) == tmp_path / "root/shared/utkface"
    assert {dataset.name: root for dataset, root in found()}["utkface"] == find_root(utkface)
    assert find_root(utkface, Path("utkface")) == Path("utkface")


def test_a_dataset_that_is_not_there_is_told_with_places_files_and_home_page(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKGEN_DATA", "/shared")
    (tmp_path / "data/celeba").mkdir(parents=True)
    with pytest.raises(MissingDataError) as caught:
        find_root(get_dataset("celeba"))
    for part in (
        "/shared/celeba (is not there)",
        "data/celeba (does not hold it)",
        "img_align_celeba/000001.jpg",
    ):
        assert part in str(caught.value)
    assert get_dataset("celeba").homepage in str(caught.value)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'celebs'.*celeba, lfw"):
        get_dataset("celebs")


@pytest.mark.parametrize(
    "name", ["celeba", "lfw", "adience", "utkface", "fairface", "imdb-wiki", "widerface"]
)
def test_public_datasets_say_what_their_terms_forbid(name):
    assert len(DATASETS[name].forbids.split()) >= 2
