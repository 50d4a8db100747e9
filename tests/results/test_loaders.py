"""What other people's own loaders read from a result; each test with the real library.

`.ci/run` installs the extras [interop] and [train], so that there only torchvision is left out: its torch
brings gigabytes of CUDA. Where torchvision is installed, its tests run.
"""

import csv
import json
import os
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from small_runs import landmark_file, masked, template_file, write_dataset, write_images

from maskgen.options import SynthOptions
from maskgen.results.card import write_card
from maskgen.results.manifest import read_manifest
from maskgen.run.job import Job, run
from maskgen.verify.result import Verifier

# By its distribution: the tests' own folder of that name is found as a module.
needs_datasets = pytest.mark.skipif(
    not any(metadata.distributions(name="datasets")), reason="needs the extra [interop]"
)
needs_keras = pytest.mark.skipif(find_spec("tensorflow") is None, reason="needs the extra [train]")
needs_torchvision = pytest.mark.skipif(find_spec("torchvision") is None, reason="needs torchvision")

SIZE = (120, 140)
CELEBA = {
    "list_attr_celeba.txt": ("6\nMale Smiling \n", " -1  1"),
    "identity_CelebA.txt": ("", " 7"),
    "list_eval_partition.txt": ("", " {split}"),
    "list_bbox_celeba.txt": ("6\nimage_id x_1 y_1 width height\n", "    10   20   60   80"),
    "list_landmarks_align_celeba.txt": ("6\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y "
        "leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n", "  40  60  80  60  60  80  45  95  75  95"),
}  # fmt: skip


def mask(dataset, root, out, **options):
    fixed = {"templates": ((str(template_file(root)), 1.0),), "landmarks": str(landmark_file(root))}
    run(Job(SynthOptions(dataset, **{**fixed, **options}), root, out), progress=False)
    return out


@pytest.fixture(scope="module")
def celeba(tmp_path_factory):
    """A source in the layout that torchvision reads, and its masked copy, in which all six are masked."""
    top = tmp_path_factory.mktemp("loaders")
    names = [f"{number:06}.jpg" for number in range(1, 7)]
    root = top / "source" / "celeba"
    write_images(root, [f"img_align_celeba/{name}" for name in names])
    for file, (head, line) in CELEBA.items():
        rows = (f"{name}{line.format(split=number // 2)}\n" for number, name in enumerate(names))
        (root / file).write_text(head + "".join(rows))
    write_card(mask("celeba", root, top / "masked" / "celeba", pairs=True, alpha=True), preview=False)
    mask("celeba", root, top / "folders", layout="folders", pairs=True, alpha=True, variants=2)
    return top


@pytest.fixture(scope="module")
def split_folders(tmp_path_factory):
    """Mirrored copies of sources whose folders at the top are splits; "Training" is none to ImageFolder."""
    # A folder called test_... above them would be a split to it.
    top = tmp_path_factory.mktemp("loaders")
    for dataset, folders, persons in (
        ("gender-folders", ("Training", "Validation"), ("male", "female")),
        ("vggface2", ("train", "test"), ("n000001", "n000002")),
    ):
        root = top / f"{dataset}-source"
        write_images(root, [f"{name}/{who}/{n}.jpg" for name in folders for who in persons for n in "12"])
        mask(dataset, root, top / dataset, pairs=True, label="split")
    return top


@pytest.fixture(scope="module")
def imagefolder(celeba, split_folders, tmp_path_factory):
    """What `load_dataset` makes of each result: split -> rows. In a process that must not look for a hub."""
    program = (
        "import sys, json, pathlib, datasets\n"
        "plain = lambda value: value if not hasattr(value, 'size') else ['image', *value.size]\n"
        "for out in sys.argv[1:]:\n"
        "    # By its card where it has one, else as a folder of images.\n"
        "    known = pathlib.Path(out, 'README.md').is_file()\n"
        "    given = (out,) if known else ('imagefolder', None, out)\n"
        "    found = datasets.load_dataset(*given)\n"
        "    print(json.dumps({str(split): [{name: plain(value) for name, value in row.items()}"
        " for row in rows] for split, rows in found.items()}))\n"
    )
    folders = [celeba / "masked" / "celeba", celeba / "folders"]
    folders += [split_folders / "gender-folders", split_folders / "vggface2"]
    cache = {"HF_HOME": str(tmp_path_factory.mktemp("cache"))}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", **cache},
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(folders, map(json.loads, done.stdout.splitlines()), strict=True))


@needs_datasets
def test_hugging_face_reads_a_mirrored_copy_with_all_columns(celeba, imagefolder):
    out = celeba / "masked" / "celeba"
    found = imagefolder[out]
    assert set(found) == {"train"}  # the source's splits are a column: its folders say nothing of them
    rows = {row.id: row for row in read_manifest(out / "manifest.jsonl")}
    assert {row["id"] for row in found["train"]} == set(rows)
    for read in found["train"]:
        row = rows[read["id"]]
        assert (read["label"], read["split"], read["identity"]) == (row.label, row.split, row.identity)
        assert read["image"] == read["unmasked"] == read["alpha"] == ["image", *SIZE]
        assert read["wear"] == "correct" and read["template"] == "plain"
        assert read["coverage_mouth"] == row.faces[0].coverage["mouth"]
        assert (read["Male"], read["Smiling"]) == (False, True)


@needs_datasets
def test_hugging_face_reads_folders_by_their_splits(celeba, imagefolder):
    found = imagefolder[celeba / "folders"]
    assert {split: len(rows) for split, rows in found.items()} == {"train": 4, "validation": 4, "test": 4}
    for split, rows in found.items():
        assert {row["split"] for row in rows} == {split}
        assert {row["label"] for row in rows} == {"female"}
        for row in rows:
            assert (celeba / "folders" / row["unmasked_file"]).is_file()
            assert (celeba / "folders" / row["alpha_file"]).is_file()


@needs_datasets
@pytest.mark.parametrize(
    ("name", "splits"), [("gender-folders", {"train": 8}), ("vggface2", {"train": 4, "test": 4})]
)
def test_hugging_face_reads_a_mirrored_copy_of_split_folders(name, splits, split_folders, imagefolder):
    found = imagefolder[split_folders / name]
    assert {split: len(rows) for split, rows in found.items()} == splits
    for row in (row for rows in found.values() for row in rows):
        assert row["split"] == row["label"] in ("train", "validation", "test")
        assert row["wear"] == "correct"
    assert list(Verifier(split_folders / name).run()) == []


@needs_keras
def test_keras_reads_folders_as_classes(tmp_path):
    root = write_dataset(tmp_path / "faces", count=6)
    masked(root, tmp_path / "out", layout="folders", alpha=True, pairs=True)
    program = (
        "import sys, keras; found = keras.utils.image_dataset_from_directory(sys.argv[1], shuffle=False,"
        "image_size=(140, 120)); print(found.class_names, len(found.file_paths),"
        "*{tuple(images.shape[1:]) for images, _ in found})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "out" / "all")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['female', 'male'] 5 (140, 120, 3)"


@needs_torchvision
def test_torchvision_reads_folders_as_classes(tmp_path):
    from torchvision.datasets import ImageFolder

    root = write_dataset(tmp_path / "faces", count=6)
    masked(root, tmp_path / "out", layout="folders")
    found = ImageFolder(tmp_path / "out" / "all")
    assert found.classes == ["female", "male"] and len(found) == 5
    assert found[0][0].size == SIZE


@pytest.mark.parametrize("split", ["train", "valid", "test", "all"])
@needs_torchvision
def test_torchvisions_celeba_reads_the_masked_copy_as_it_reads_the_source(celeba, split, monkeypatch):
    from torchvision.datasets import CelebA

    # It holds the label files against the hashes of the published ones, and these are six lines of them. What
    # it would find in a copy is shown by the bytes: see the test below.
    monkeypatch.setattr(CelebA, "_check_integrity", lambda self: True)
    kinds = ["attr", "identity", "bbox", "landmarks"]
    source, copy = (CelebA(celeba / top, split, kinds) for top in ("source", "masked"))
    assert len(source) == len(copy) == (6 if split == "all" else 2)
    assert copy.attr_names == source.attr_names
    for (before, said), (after, still) in zip(source, copy, strict=True):
        assert all((one == other).all() for one, other in zip(said, still, strict=True))
        assert before.size == after.size
        assert (np.asarray(before) != np.asarray(after)).any()


def test_label_files_are_copied_to_the_byte_so_that_loaders_that_check_their_hashes_pass(celeba):
    for name in CELEBA:
        source, copy = (celeba / top / "celeba" / name for top in ("source", "masked"))
        assert source.read_bytes() == copy.read_bytes()


@needs_torchvision
def test_torchvisions_lfw_reads_the_masked_copy_as_it_reads_the_source(tmp_path, monkeypatch):
    from torchvision.datasets import LFWPairs, LFWPeople

    root = tmp_path / "source" / "lfw-py"
    people = ("Ann_A", "Bea_B")
    write_images(root, [f"lfw_funneled/{who}/{who}_000{n}.jpg" for who in people for n in (1, 2)])
    (root / "lfw-names.txt").write_text("Ann_A\t2\nBea_B\t2\n")
    (root / "peopleDevTrain.txt").write_text("2\nAnn_A\t2\nBea_B\t2\n")
    (root / "pairsDevTrain.txt").write_text("1\nAnn_A\t1\t2\nAnn_A\t1\tBea_B\t2\n")
    mask("lfw", root, tmp_path / "masked" / "lfw-py", label=None)
    for loader in (LFWPeople, LFWPairs):
        monkeypatch.setattr(loader, "_check_integrity", lambda self: True)
        source, copy = (loader(str(tmp_path / top), split="train") for top in ("source", "masked"))
        assert len(source) == len(copy) > 0
        for one, other in zip(source, copy, strict=True):
            assert one[-1] == other[-1]
            for before, after in zip(one[:-1], other[:-1], strict=True):
                assert (np.asarray(before) != np.asarray(after)).any()


def test_a_plain_csv_reader_reads_the_labels_of_the_copy(celeba):
    """As a notebook does it, with no library at all."""
    root = celeba / "masked" / "celeba"
    with (root / "list_eval_partition.txt").open() as file:
        for name, _ in csv.reader(file, delimiter=" "):
            assert Path(root, "img_align_celeba", name).is_file()
