"""``--image-root``: a table in one folder, its images in another."""

import json
import shutil

import pytest
from small_runs import landmark_file, template_file, tree, write_dataset

from maskgen.__main__ import main
from maskgen.datasets import DATASETS
from maskgen.datasets.table import with_image_root
from maskgen.errors import EXIT_USAGE, AnnotationError, MissingDataError, UsageError
from maskgen.results.manifest import read_manifest

NAMES = ("female/000.jpg", "male/001.jpg")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with images in ``disk/photos``; the folder of the tables, ``mine``, is beside ``disk``."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "mine").mkdir()
    write_dataset(tmp_path / "disk" / "photos", count=2)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_table(desk, name, paths):
    rows = "".join(f"{path},{gender}\n" for path, gender in zip(paths, ("Woman", "Man"), strict=True))
    (desk / "mine" / name).write_text(f"path,gender\n{rows}")
    return f"mine/{name}"


def synth(desk, table, out, *more):
    photos = desk / "disk" / "photos"
    given = ["--landmarks", str(landmark_file(photos)), "--template", str(template_file(photos))]
    return main(["synth", "--dataset", "table", "--root", table, "--out", out, "-q", *given, *more])


@pytest.mark.parametrize(
    "front", ["", "{desk}/disk/photos/", "../disk/photos/"], ids=["below", "absolute", "climbing"]
)
def test_images_elsewhere_are_masked_and_the_run_goes_on_and_is_verified(front, desk, capfd):
    table = write_table(desk, "list.csv", [front.format(desk=desk) + name for name in NAMES])
    assert synth(desk, table, "out", "--image-root", "disk/photos") == 0
    rows = list(read_manifest(desk / "out/manifest.jsonl"))
    assert [(row.id, row.status, row.label) for row in rows] == [
        ("female/000.jpg", "masked", "female"),
        ("male/001.jpg", "masked", "male"),
    ]
    assert not (desk / "out" / "list.csv").exists(), "its paths are those of the images, not of the output"
    before = tree(desk / "out")
    assert synth(desk, table, "out", "--image-root", "disk/photos") == 0
    assert main(["report", "out"]) == 0
    assert main(["verify", "out"]) == 0
    assert tree(desk / "out") == before
    assert "sources of table are not found" not in capfd.readouterr().err


def test_another_image_root_is_another_run_and_shares_are_merged(desk, capfd):
    table = write_table(desk, "list.csv", NAMES)
    more = ("--image-root", "disk/photos", "--shard-size", "1")
    assert synth(desk, table, "whole", *more) == 0
    for share in ("1/2", "2/2"):
        assert synth(desk, table, "shares", *more, "--shard", share) == 0
    assert main(["merge", "shares"]) == 0
    assert (desk / "shares/manifest.jsonl").read_bytes() == (desk / "whole/manifest.jsonl").read_bytes()
    shutil.copytree(desk / "disk", desk / "other")
    capfd.readouterr()
    assert synth(desk, table, "whole", "--image-root", "other/photos", "--shard-size", "1") == EXIT_USAGE
    assert "image_root was" in capfd.readouterr().err


def test_landmarks_of_images_elsewhere_are_found(desk):
    table = write_table(desk, "list.csv", NAMES)
    words = [
        "--root",
        table,
        "--image-root",
        "disk/photos",
        "--out",
        "found.jsonl",
        "-q",
    ]
    assert main(["landmarks", "--dataset", "table", *words]) == 0
    lines = map(json.loads, (desk / "found.jsonl").read_text().splitlines())
    assert {line["id"] for line in lines if "id" in line} == set(NAMES)


@pytest.mark.parametrize("path", ["{desk}/disk/photos/female/000.jpg", "../disk/photos/female/000.jpg"])
def test_without_the_option_the_error_names_it(path, desk):
    table = desk / write_table(desk, "list.csv", [path.format(desk=desk), "male/001.jpg"])
    with pytest.raises(AnnotationError, match=r"list\.csv, line 2: .*with --image-root"):
        list(DATASETS["table"].samples(table))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc/passwd", "{desk}/disk/photos/../secret.jpg", "link.jpg"]
)
def test_a_path_out_of_the_image_root_is_refused(path, desk):
    (desk / "disk/secret.jpg").touch()
    (desk / "disk/photos/link.jpg").symlink_to(desk / "disk/secret.jpg")
    table = desk / write_table(desk, "list.csv", [path.format(desk=desk), "male/001.jpg"])
    with pytest.raises(AnnotationError, match=r"list\.csv, line 2: .*--image-root"):
        list(with_image_root(DATASETS["table"], desk / "disk/photos").samples(table))


def test_the_option_is_for_tables_and_for_a_folder_that_is_there(desk):
    with pytest.raises(UsageError, match="--image-root is for --dataset table"):
        with_image_root(DATASETS["lfw"], desk)
    with pytest.raises(MissingDataError, match=r"--image-root .*no such folder"):
        with_image_root(DATASETS["table"], desk / "none")


def test_a_table_without_its_images_says_how_to_name_their_folder(desk, caplog):
    table = desk / write_table(desk, "list.csv", NAMES)
    assert len(list(DATASETS["table"].samples(table))) == 2
    assert [record.getMessage() for record in caplog.records] == [
        f"list.csv: its images are not in {desk / 'mine'}; give their folder with --image-root"
    ]
