"""Copies of the datasets with the names of Kaggle's mirrors, and copies that lack something."""

import logging
import subprocess
import sys

import pytest
from layouts import CELEBA_ATTRIBUTES, LAYOUTS, WIKI_ROWS, matlab

from maskgen.datasets import DATASETS, find_root, get_dataset
from maskgen.datasets.base import warn_of_lacks
from maskgen.datasets.readers.root import MOST_ENTRIES, MOST_FOLDERS, find_label_files, folders_near

FAIRFACE = "file,age,gender,race,service_test\n"
META = LAYOUTS["vggface2"]["identity_meta.csv"]
BOXES = "0--Parade/0_Parade_1.jpg\n1\n80 70 150 190 0 0 0 0 0 0 \n"
EVENT = "WIDER_train/WIDER_train/images/0--Parade/0_Parade_1.jpg"
DEEP = "lfw-deepfunneled/lfw-deepfunneled"
CELEBA_CSV = {
    "list_attr_celeba.csv": "image_id,Male,Young\n000001.jpg,-1,1\n000002.jpg,1,1\n",
    "list_eval_partition.csv": "image_id,partition\n000001.jpg,0\n000002.jpg,1\n",
    "list_bbox_celeba.csv": "image_id,x_1,y_1,width,height\n000001.jpg,95,71,226,313\n",
    "list_landmarks_align_celeba.csv": "image_id,lefteye_x,lefteye_y\n000001.jpg,69,109\n",
}
ADIENCE = LAYOUTS["adience"]["fold_0_data.txt"]
FACE = "faces/306@N03/coarse_tilt_aligned_face.1.103_67_o.jpg"

# What the case is -> (dataset, files, {image: (gender, split)}).
MIRRORS = {
    "fairface, labels beside the folders": (
        "fairface",
        {
            "train_labels.csv": f"{FAIRFACE}train/1.jpg,9-Mar,Male,East Asian,TRUE\n",
            "val_labels.csv": f"{FAIRFACE}val/1.jpg,19-Oct,Female,White,FALSE\n",
        },
        {"train/1.jpg": ("male", "train"), "val/1.jpg": ("female", "validation")},
    ),
    "fairface, one deeper": (
        "fairface",
        {"FairFace/train_labels.csv": f"{FAIRFACE}train/1.jpg,9-Mar,Male,East Asian,TRUE\n"},
        {"FairFace/train/1.jpg": ("male", "train")},
    ),
    "vggface2, val and meta": (
        "vggface2",
        {"meta/identity_meta.csv": META},
        {"train/n000002/0001_01.jpg": ("female", "train"), "val/n000001/0001_01.jpg": ("male", "validation")},
    ),
    "vggface2, one deeper": (
        "vggface2",
        {"VGG-Face2/meta/identity_meta.csv": META},
        {"VGG-Face2/data/test/n000001/0001_01.jpg": ("male", "test")},
    ),
    "lfw, lists as CSV": (
        "lfw",
        {
            "peopleDevTrain.csv": "name,images\nAaron_Guiel,1\n",
            "peopleDevTest.csv": "name,images\nAJ_Cook,1\n",
            "lfw_allnames.csv": "name,images\nAJ_Cook,1\n",
            "pairs.csv": "name,imagenum1,imagenum2,\nAJ_Cook,1,4,\n",
        },
        {
            f"{DEEP}/AJ_Cook/AJ_Cook_0001.jpg": (None, "test"),
            f"{DEEP}/Aaron_Guiel/Aaron_Guiel_0001.jpg": (None, "train"),
        },
    ),
    "lfw, pairs as CSV, gender lists deep": (
        "lfw",
        {
            "matchpairsDevTrain.csv": "name,imagenum1,imagenum2\nAaron_Guiel,1,2\n",
            "mismatchpairsDevTest.csv": "name,imagenum1,name,imagenum2\nAJ_Cook,1,Al_Gore,3\n",
            f"{DEEP}/male_names.txt": "Aaron_Guiel_0001.jpg\n",
        },
        {
            f"{DEEP}/AJ_Cook/AJ_Cook_0001.jpg": (None, "test"),
            f"{DEEP}/Aaron_Guiel/Aaron_Guiel_0001.jpg": ("male", "train"),
        },
    ),
    "imdb, nested twice": (
        "imdb-wiki",
        {"imdb_crop/imdb_crop/imdb.mat": matlab("imdb", WIKI_ROWS)},
        {"imdb_crop/imdb_crop/01/1_1950-01-02_2000.jpg": ("male", None)},
    ),
    "utkface, one deeper": (
        "utkface",
        {},
        {"utkface_aligned_cropped/UTKFace/26_1_0_20170116171048641.jpg.chip.jpg": ("female", None)},
    ),
    "utkface, under another name": (
        "utkface",
        {},
        {"archive/faces/26_1_0_20170116171048641.jpg": ("female", None)},
    ),
    "celeba, CSV": (
        "celeba",
        CELEBA_CSV,
        {
            "img_align_celeba/img_align_celeba/000001.jpg": ("female", "train"),
            "img_align_celeba/img_align_celeba/000002.jpg": ("male", "validation"),
        },
    ),
    "celeba, CSV with semicolons, one deeper": (
        "celeba",
        {f"CelebA/{name}": "sep=;\r\n" + text.replace(",", ";") for name, text in CELEBA_CSV.items()},
        {"CelebA/img_align_celeba/000002.jpg": ("male", "validation")},
    ),
    "celeba, as published, one deeper": (
        "celeba",
        {
            "CelebA/Anno/list_attr_celeba.txt": CELEBA_ATTRIBUTES,
            "CelebA/Eval/list_eval_partition.txt": "000002.jpg 2\n",
        },
        {"CelebA/Img/img_align_celeba/000002.jpg": ("male", "test")},
    ),
    "adience, one deeper": (
        "adience",
        {"AdienceBenchmark/fold_0_data.txt": ADIENCE},
        {f"AdienceBenchmark/{FACE}": ("female", None)},
    ),
    "widerface, nested": (
        "widerface",
        {"wider_face_annotations/wider_face_split/wider_face_train_bbx_gt.txt": BOXES},
        {EVENT: (None, "train")},
    ),
    "gender-folders, other words": (
        "gender-folders",
        {},
        {
            "archive/dataset1/test/man/1.jpg": ("male", "test"),
            "archive/dataset1/valid/woman/1.jpg": ("female", "validation"),
        },
    ),
}


@pytest.mark.parametrize("case", MIRRORS)
def test_a_mirror_is_found_and_its_labels_and_splits_are_read(case, tree, read):
    name, files, images = MIRRORS[case]
    root = tree(files, *images)
    assert find_root(get_dataset(name), root) == root
    samples = read(name, root)
    assert {id: (sample.attributes.get("gender"), sample.split) for id, sample in samples.items()} == images
    assert {path.as_posix() for path in DATASETS[name].annotations(root)} == set(files)


def test_the_ages_of_a_mirror_and_its_boxes_are_read(tree, read):
    name, files, images = MIRRORS["fairface, labels beside the folders"]
    assert [sample.attributes["age"] for sample in read(name, tree(files, *images)).values()] == [
        "3-9",
        "10-19",
    ]
    name, files, images = MIRRORS["widerface, nested"]
    assert read(name, tree(files, *images))[EVENT].boxes == ((80, 70, 150, 190),)


def test_of_two_label_files_the_nearest_to_the_root_is_read(tree):
    root = tree(dict.fromkeys(("a/b/x.csv", "b/x.csv", "c/x.csv", "a/b/c/d/y.csv"), ""))
    assert find_label_files(root, ("x.csv", "y.csv")) == {"x.csv": root / "b/x.csv"}


def test_the_folders_of_people_and_of_images_are_not_searched(tree):
    people = [f"people/{number}/x.csv" for number in range(MOST_FOLDERS + 1)]
    images = [f"images/{number}.jpg" for number in range(MOST_ENTRIES)]
    root = tree(dict.fromkeys([*people, *images, "images/x.csv"], ""))
    assert [folder for folder, _ in folders_near(root)] == ["", "images/", "people/"]
    assert find_label_files(root, ("x.csv",)) == {"x.csv": root / "images/x.csv"}


@pytest.mark.parametrize(
    ("name", "image", "said"),
    [
        (
            "celeba",
            "img_align_celeba/1.jpg",
            (
                "no image has gender: looked for list_attr_celeba",
                "no image has split: looked for list_eval_part",
            ),
        ),
        (
            "fairface",
            "train/1.jpg",
            ("no image has gender: looked for fairface_label_", "fairface_label_train.csv is missing"),
        ),
        ("widerface", EVENT, ("no image has boxes or gender: looked for wider_face_train_bbx_gt.txt",)),
        (
            "lfw",
            "lfw/A_B/A_B_0001.jpg",
            (
                "no image has gender: looked for male_names.txt",
                "no image has split: looked for peopleDevTrain.txt",
            ),
        ),
        ("imdb-wiki", "imdb_crop/01/1.jpg", ("no image has gender: looked for imdb.mat or wiki.mat",)),
        ("vggface2", "n000002/1.jpg", ("no image has gender: looked for identity_meta.csv",)),
        ("adience", FACE, ("no image has gender: looked for fold_0_data.txt",)),
        ("utkface", "UTKFace/1.jpg", ("no image has gender: looked for file names AGE_GENDER",)),
        ("gender-folders", "a/1.jpg", ("no image has gender: looked for folders named male and female",)),
    ],
)
def test_a_copy_without_labels_says_in_one_line_what_was_looked_for(name, image, said, tree, caplog):
    root = tree(None, image)
    assert len(list(warn_of_lacks(DATASETS[name], DATASETS[name].samples(root)))) == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and "\n" not in record.getMessage()
    assert all(part in record.getMessage() for part in (DATASETS[name].title, *said))


@pytest.mark.parametrize("name", sorted(set(LAYOUTS) - {"folder", "table"}))
def test_a_whole_copy_is_not_said_to_lack_anything(name, tree, caplog):
    root = tree({path: b"" if text is None else text for path, text in LAYOUTS[name].items()})
    list(warn_of_lacks(DATASETS[name], DATASETS[name].samples(root)))
    assert caplog.messages == []


@pytest.mark.parametrize("limit", [(), ("--limit", "1")])
def test_a_dry_run_says_what_a_copy_lacks_once(limit, tree, tmp_path, capfd):
    root = tree(None, "img_align_celeba/1.jpg", "img_align_celeba/2.jpg")
    words = ["synth", "--dataset", "CelebA", "--root", str(root), "--out", str(tmp_path / "out"), "--dry-run"]
    assert subprocess.run([sys.executable, "-m", "maskgen", *words, *limit], check=False).returncode == 0
    assert (
        capfd.readouterr().err.count("maskgen: CelebA: no image has gender: looked for list_attr_celeba") == 1
    )
