"""Images in tars: what is listed, under which ids, and with which labels."""

import json
import pickle
import tarfile
from pathlib import Path

import pytest
from small_tars import write_tar

from maskgen.datasets import find_root, get_dataset
from maskgen.datasets.readers.root import images
from maskgen.datasets.webdataset import find_tars
from maskgen.errors import AnnotationError, MissingDataError, UsageError
from maskgen.files.tar import read_member

WEBDATASET = get_dataset("webdataset")


def listed(root):
    samples = list(WEBDATASET.samples(Path(root)))
    assert len({sample.id for sample in samples}) == len(samples)
    return samples


def ids(root):
    return [sample.id for sample in listed(root)]


def only(root):
    (sample,) = listed(root)
    return sample


# Which images.


def test_lists_each_picture_by_its_name_and_reads_it_by_its_place(tmp_path):
    files = {"a/1.jpg": b"one", "a/1.json": b"{}", "a/2.PNG": b"two", "a/notes.txt": b"", "b.jpeg": b"three"}
    write_tar(tmp_path / "0.tar", files)
    samples = listed(tmp_path)
    assert [sample.id for sample in samples] == ["a/1.jpg", "a/2.PNG", "b.jpeg"]
    assert [sample.relative for sample in samples] == ["a/1.jpg", "a/2.PNG", "b.jpeg"]
    assert [sample.source_path for sample in samples] == ["0.tar/a/1.jpg", "0.tar/a/2.PNG", "0.tar/b.jpeg"]
    for sample in samples:
        assert read_member(pickle.loads(pickle.dumps(sample))) == files[sample.id]


def test_a_packed_folder_has_the_ids_and_the_attributes_of_the_folder(tmp_path):
    """As `tar` packs it, with ./ before each name, long names and names that are not UTF-8."""
    folder = tmp_path / "folder"
    for name in ("male/1.jpg", "Jos\udce9/x.y.png", f"{'long ' * 30}/{'x' * 200}.jpg", "26_1.jpg.chip.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"picture")
    for number, layout in enumerate((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)):
        path = tmp_path / f"{number}.tar"
        with tarfile.open(path, "w", format=layout, errors="surrogateescape") as tar:
            tar.add(folder, ".")
        samples = sorted(listed(path), key=lambda sample: sample.id)
        expected = sorted(get_dataset("folder").samples(folder), key=lambda sample: sample.id)
        for one, other in zip(samples, expected, strict=True):
            assert (one.id, one.relative, one.attributes) == (other.id, other.relative, other.attributes)
    assert len(list(images(folder))) == 4


def test_a_name_that_was_used_before_gets_its_tar_in_front(tmp_path):
    for shard in ("00", "01", "02"):
        write_tar(tmp_path / f"{shard}.tar", {"1.jpg": b"", f"only{shard}.jpg": b""})
    write_tar(tmp_path / "03.tar", {"01/1.jpg": b""})
    with tarfile.open(tmp_path / "02.tar", "a") as tar:
        tar.addfile(tarfile.TarInfo("1.jpg"))
    assert ids(tmp_path) == [
        *("1.jpg", "only00.jpg", "01/1.jpg", "only01.jpg", "02/1.jpg", "only02.jpg", "02~2/1.jpg"),
        "03/01/1.jpg",
    ]


def test_not_even_a_tar_that_is_named_like_a_picture_takes_its_place(tmp_path):
    write_tar(tmp_path / "0.tar", {"1.jpg": b""})
    write_tar(tmp_path / "1.jpg.tar", {"1.jpg": b""})
    assert ids(tmp_path) == ["1.jpg", "1.jpg~/1.jpg"]


def test_many_names_are_told_apart(tmp_path):
    for shard in range(2):
        write_tar(tmp_path / f"{shard}.tar", {f"{number}.jpg": b"" for number in range(2000)})
    assert ids(tmp_path) == [f"{top}{number}.jpg" for top in ("", "1/") for number in range(2000)]


def test_a_picture_that_is_also_a_folder_gets_a_place_beside_it(tmp_path):
    write_tar(tmp_path / "0.tar", {"a.jpg": b"", "a.jpg/b.jpg": b""})
    assert ids(tmp_path) == ["a.jpg", "a.jpg~/b.jpg"]


def test_names_that_no_file_system_takes_are_replaced(tmp_path):
    names = (f"{'x' * 300}/1.jpg", f"{'x' * 300}.jpg", "/".join("y" * 200 for _ in range(8)) + ".jpg")
    write_tar(tmp_path / "0.tar", dict.fromkeys(names, b""))
    for relative in ids(tmp_path):
        (tmp_path / "out" / relative).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / relative).touch()


# Where they are looked for.


@pytest.fixture
def shards(tmp_path, monkeypatch):
    for name in ("train/00", "train/01", "train/02", "val/00", "b"):
        write_tar(tmp_path / f"{name}.tar", {f"{name}.jpg": b""})
    (tmp_path / "train" / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (".", ["b", "train/00", "train/01", "train/02", "val/00"]),
        ("train", ["train/00", "train/01", "train/02"]),
        ("train/01.tar", ["train/01"]),
        ("train/*.tar", ["train/00", "train/01", "train/02"]),
        ("train/0[12]*", ["train/01", "train/02"]),
        ("train/*", ["train/00", "train/01", "train/02"]),
        ("*/00.tar", ["train/00", "val/00"]),
        ("**/*.tar", ["b", "train/00", "train/01", "train/02", "val/00"]),
        ("train/{00..01}.tar", ["train/00", "train/01"]),
        ("train/{01..00}.tar", ["train/00", "train/01"]),
        ("{train,val}/{00,0*}.tar", ["train/00", "train/01", "train/02", "val/00"]),
        (f"train/{{{','.join(['01'] * 200)},00}}.tar", ["train/00", "train/01"]),
        ("{train/{00,02},b}.tar", ["b", "train/00", "train/02"]),
    ],
)
def test_a_root_is_a_tar_a_folder_or_a_pattern(shards, root, expected):
    for place in (Path(root), shards / root):
        assert find_root(WEBDATASET, place) == place
        assert ids(place) == [f"{name}.jpg" for name in expected]


def test_a_name_with_braces_or_stars_that_is_there_is_itself(shards):
    (shards / "b.tar").rename("{a,b}[0].tar")
    assert ids("{a,b}[0].tar") == ["b.jpg"]


@pytest.mark.parametrize("root", ["none", "none/*.tar", "train/*.txt", "train/{00..03}.tar", "train/03.tar"])
def test_a_tar_that_is_not_there_is_named(shards, root):
    with pytest.raises(
        MissingDataError, match=r"train/03.tar is not there|Expected there:\n  uncompressed .tar"
    ):
        listed(find_root(WEBDATASET, Path(root)))


@pytest.mark.parametrize("root", [".", "train", "train/*"])
@pytest.mark.parametrize("suffix", ["tar.gz", "tgz", "tar.zst"])
def test_a_compressed_tar_is_refused_and_not_passed_over(shards, root, suffix):
    (shards / "train" / f"03.{suffix}").touch()
    with pytest.raises(UsageError, match=f"train/03.{suffix} is compressed"):
        listed(root)


def test_a_range_beyond_reason_is_refused(shards):
    with pytest.raises(UsageError, match="stands for more than 1,000,000 names"):
        find_tars(Path("train/{0..999999999}.tar"))


def test_a_link_out_of_a_folder_is_refused_and_one_that_is_named_is_followed(shards):
    (shards / "val" / "link.tar").symlink_to(shards / "train" / "01.tar")
    with pytest.raises(AnnotationError, match="link out of"):
        listed("val")
    assert ids("val/*.tar") == ["val/00.jpg", "train/01.jpg"]


# What is known of them.


def known(tmp_path, label, name="1.json", tar="0.tar"):
    content = label if isinstance(label, bytes) else json.dumps(label).encode()
    return only(write_tar(tmp_path / tar, {"1.jpg": b"", name: content}))


def test_a_json_beside_a_picture_says_what_is_known(tmp_path):
    told = {
        "gender": "M",
        "split": "val",
        "identity": 17,
        "age": 30.5,
        "smiling": True,
        "url": "x",
        "note": "?",
    }
    sample = known(tmp_path, {**told, "exif": {"a": 1}, "boxes": [1], "license": None, "empty": ""})
    assert (sample.split, sample.identity, sample.note) == ("validation", "17", "?")
    assert sample.attributes == {"gender": "male", "age": 30.5, "smiling": True, "url": "x"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_labels_may_have_any_encoding(encoding, tmp_path):
    files = {"1.cls": "7\n".encode(encoding), "1.json": '{"sex": "Woman"}'.encode(encoding), "1.jpg": b""}
    write_tar(tmp_path / "0.tar", files)
    assert [sample.attributes for sample in listed(tmp_path)] == [{"gender": "female", "cls": "7"}]


def test_it_may_stand_before_the_picture_and_a_class_may_too(tmp_path):
    write_tar(
        tmp_path / "0.tar", {"1.cls": b"7\n", "1.json": b'{"sex": "female"}', "1.jpg": b"", "2.jpg": b""}
    )
    first, second = listed(tmp_path)
    assert first.attributes == {"gender": "female", "cls": "7"}
    assert (second.attributes, second.note) == ({}, "there is no 2.json in the tar")


def test_pictures_of_one_key_go_by_their_own_label_or_else_by_the_common_one(tmp_path):
    files = {"1.left.jpg": b"", "1.right.jpg": b"", "1.left.json": b'{"age": 1}', "1.json": b'{"age": 2}'}
    write_tar(tmp_path / "0.tar", files)
    assert [(sample.id, sample.attributes["age"]) for sample in listed(tmp_path)] == [
        ("1.left.jpg", 1),
        ("1.right.jpg", 2),
    ]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"{", "1.json is not JSON"),
        (b"\xff\xfe\x00", "1.json is not JSON"),
        (b"[" * 100_000, "1.json is not JSON"),
        (b"[1]", "1.json holds a list, not an object"),
        (b" " * (1 << 20) + b"{}", "1.json is too large for labels"),
        (b'{"gender": "other"}', "its gender in the tar is 'other'"),
    ],
)
def test_a_label_that_cannot_be_read_costs_the_label_alone(tmp_path, content, note):
    sample = known(tmp_path, content)
    assert note in sample.note
    assert "gender" not in sample.attributes


def test_what_no_file_could_hold_is_replaced(tmp_path):
    sample = known(tmp_path, rb'{"name": "\ud800", "age": NaN, "gender": "f", "split": "all"}')
    assert sample.attributes == {"name": "?", "gender": "female"}
    assert sample.split is None


@pytest.mark.parametrize(
    ("tar", "split"),
    [
        ("train/0.tar", "train"),
        ("set-val-000001.tar", "validation"),
        ("0.tar", None),
        ("train-test.tar", None),
    ],
)
def test_the_split_is_read_from_the_path_of_the_tar(tmp_path, tar, split):
    write_tar(tmp_path / tar, {"1.jpg": b""})
    assert only(tmp_path).split == split


ROW = {
    **{"schema": 1, "id": "p/1.png", "variant": 1, "status": "masked", "source": {}, "faces": []},
    **{"attributes": {"gender": "female", "age": 3}, "split": "test", "identity": "Ann", "label": "female"},
}


@pytest.mark.parametrize(
    ("key", "row_id", "expected"),
    [
        ("p/1~png", "p/1.png", "p/1.png"),
        ("variant-1/p/1~png", "p/1.png", "variant-1/p/1.png"),
        ("variant-1/1~png", "variant-1/1.png", "variant-1/1.png"),
        ("variant-1/variant-1/1~png", "variant-1/1.png", "variant-1/variant-1/1.png"),
        ("1", "../../etc/1.png", "1.png"),
        ("1", "/etc/1.png", "1.png"),
        ("1", "etc", "1.png"),
        ("1", "\ud800.png", "1.png"),
    ],
)
def test_a_row_of_a_manifest_gives_back_its_source(tmp_path, key, row_id, expected):
    files = dict.fromkeys((f"{key}.png", f"{key}.alpha.png", f"{key}.unmasked.png"), b"")
    write_tar(tmp_path / "0.tar", {**files, f"{key}.json": json.dumps({**ROW, "id": row_id}).encode()})
    sample = only(tmp_path)
    assert sample.id == expected
    assert (sample.split, sample.identity) == ("test", "Ann")
    assert sample.attributes == {"gender": "female", "age": 3}
