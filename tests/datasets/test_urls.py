"""Every adapter reads from a URL what it reads from a folder."""

from dataclasses import replace

import pytest
from layouts import LAYOUTS
from small_stores import fresh_memory

from maskgen.datasets import DATASETS, find_root
from maskgen.errors import AnnotationError, MissingDataError
from maskgen.files.remote import location

PICTURE = b"\xff\xd8\xff\xd9"


@pytest.fixture
def memory():
    return fresh_memory("memory://datasets/root")


@pytest.mark.parametrize("name", LAYOUTS)
def test_from_a_url_as_from_a_folder(name, tree, memory):
    files = {path: PICTURE if content is None else content for path, content in LAYOUTS[name].items()}
    root = tree(files)
    for path, content in files.items():
        memory.fs.pipe_file((memory / path).path, content if isinstance(content, bytes) else content.encode())
    dataset = DATASETS[name]
    assert find_root(dataset, memory) == memory
    local, remote = list(dataset.samples(root)), list(dataset.samples(memory))
    assert [replace(sample, path=None) for sample in remote] == [replace(s, path=None) for s in local]
    assert [sample.path for sample in remote] == [memory / sample.relative for sample in local]
    labels = [path.as_posix() for path in dataset.annotations(memory)]
    assert labels == [path.as_posix() for path in dataset.annotations(root)]
    assert all((memory / label).is_file() for label in labels)


def test_a_table_may_be_named_by_its_url(memory):
    (memory / "list.csv").write_text("path,gender\na.jpg,female\n")
    (sample,) = DATASETS["table"].samples(memory / "list.csv")
    assert sample.path == memory / "a.jpg"
    assert sample.attributes == {"gender": "female"}


def test_paths_come_in_byte_order(memory, tree):
    names = ["b/1.jpg", "b.jpg", "b-1.jpg", "b0.jpg", "ä.jpg", "Z.jpg", "b/ü/1.jpg", "b/u.jpg", "note.txt"]
    for name in names:
        (memory / name).write_bytes(PICTURE)
    expected = [sample.relative for sample in DATASETS["folder"].samples(tree(None, *names))]
    assert [sample.relative for sample in DATASETS["folder"].samples(memory)] == expected


def test_the_empty_object_that_stands_for_a_folder_is_not_in_it(memory, monkeypatch):
    (memory / "a" / "1.jpg").write_bytes(PICTURE)
    listed = type(memory.fs).ls

    def with_markers(system, path, detail=True, **options):
        marker = {"name": path.rstrip("/") + "/", "size": 0, "type": "directory"}
        return [marker, *listed(system, path, detail=detail, **options)]

    monkeypatch.setattr(type(memory.fs), "ls", with_markers)
    assert [sample.id for sample in DATASETS["folder"].samples(memory)] == ["a/1.jpg"]


def test_a_store_without_the_dataset_is_told_with_its_url(memory):
    (memory / "a.jpg").write_bytes(PICTURE)
    with pytest.raises(MissingDataError, match=r"memory://datasets/root \(does not hold it\)"):
        find_root(DATASETS["celeba"], memory)
    with pytest.raises(MissingDataError, match=r"memory://datasets/root/b: cannot list it"):
        list(DATASETS["folder"].samples(memory / "b"))


def test_a_path_that_leads_out_of_the_url_is_refused(memory):
    (memory / "table.csv").write_text("path\n../a.jpg\n")
    with pytest.raises(AnnotationError, match=r"table\.csv, line 2.*'\.\.'"):
        list(DATASETS["table"].samples(memory))


def test_a_link_below_a_url_is_refused(tree, tmp_path):
    root = tree(None, "a/1.jpg")
    (tmp_path / "secret.jpg").touch()
    (root / "a" / "2.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(AnnotationError, match=r"a/2\.jpg is a link"):
        list(DATASETS["folder"].samples(location(f"local://{root}")))
