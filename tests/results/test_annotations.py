"""`maskgen annotations`: what COCO's own loader, and readers of YOLO's and VOC's files, find in them."""

import json
import shutil
from dataclasses import replace
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image
from small_runs import masked, tree, write_dataset

from maskgen.__main__ import main
from maskgen.errors import AnnotationError, ConfigurationError, UsageError
from maskgen.results.export.detection import write_annotations
from maskgen.results.export.shapes import CLASSES, Shape, annotated_images
from maskgen.results.manifest import read_manifest, row_to_json

COCO = pytest.importorskip("pycocotools.coco").COCO

WEARS = {"wears": (("correct", 1.0), ("chin", 1.0))}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    root = write_dataset(tmp_path_factory.mktemp("annotations") / "faces", count=8)
    masked(root, root.with_name("out"), pairs=True, alpha=True, **WEARS)
    return root.with_name("out")


@pytest.fixture(scope="module")
def alphas(result):
    """File name -> (height, width) bool of the solid pixels of its mask."""
    rows = [row for row in read_manifest(result / "manifest.jsonl") if row.file_name]
    return {r.file_name: np.asarray(Image.open(result / r.faces[0].alpha_file)) >= 128 for r in rows}


@pytest.mark.parametrize("outlines", ["polygon", "rle"])
def test_pycocotools_finds_each_mask_where_its_alpha_is(result, alphas, tmp_path, outlines):
    assert write_annotations(result, tmp_path / "coco", "coco", outlines) == 7
    coco = COCO(str(tmp_path / "coco" / "instances_all.json"))
    assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == list(CLASSES)
    assert {coco.imgs[number]["file_name"] for number in coco.getImgIds()} == set(alphas)
    masks = [each for each in coco.dataset["annotations"] if each["category_id"] > 1]
    assert len(masks) == 7
    for each in masks:
        image = coco.imgs[each["image_id"]]
        expected, drawn = alphas[image["file_name"]], coco.annToMask(each).astype(bool)
        assert drawn.shape == (image["height"], image["width"]) == expected.shape
        same = (drawn & expected).sum() / (drawn | expected).sum()
        assert same == 1 if outlines == "rle" else same > 0.95
        assert each["area"] == expected.sum()
        assert each["bbox"] == list(cv2.boundingRect(expected.astype(np.uint8)))


def test_classes_are_those_of_the_wear_and_faces_have_boxes(result, tmp_path):
    write_annotations(result, tmp_path / "coco", "coco", "none")
    coco = COCO(str(tmp_path / "coco" / "instances_all.json"))
    for row in read_manifest(result / "manifest.jsonl"):
        for face in row.faces:
            (number,) = (n for n in coco.getImgIds() if coco.imgs[n]["file_name"] == row.file_name)
            found = {coco.cats[a["category_id"]]["name"]: a for a in coco.imgToAnns[number]}
            named = f"mask-{face.wear}" if face.wear_agrees else "mask-unclear"
            assert set(found) == {"face", named}
            assert found["face"]["bbox"] == list(face.box)


def test_each_split_has_a_file_and_unmasked_pictures_have_faces_alone(result, tmp_path):
    rows = [*read_manifest(result / "manifest.jsonl")]
    split = [replace(row, split=("train", "test")[number % 2]) for number, row in enumerate(rows)]
    copy = shutil.copytree(result, tmp_path / "out")
    (copy / "manifest.jsonl").write_text("".join(row_to_json(row) + "\n" for row in split), "utf-8")
    assert write_annotations(copy, tmp_path / "coco", "coco", unmasked=True) == 14
    train, test = (COCO(str(tmp_path / "coco" / f"instances_{name}.json")) for name in ("train", "test"))
    assert len(train.imgs) + len(test.imgs) == 14
    for coco in (train, test):
        for number, image in coco.imgs.items():
            classes = [each["category_id"] for each in coco.imgToAnns[number]]
            assert (classes == [1]) == image["file_name"].startswith("unmasked/")


def test_links_that_lead_out_of_a_result_are_not_followed(result, tmp_path):
    (tmp_path / "out").mkdir()
    for path in result.iterdir():
        (tmp_path / "out" / path.name).symlink_to(path)
    with pytest.raises(AnnotationError, match="link out of"):
        write_annotations(tmp_path / "out", tmp_path / "coco", "coco")


def test_yolo_finds_labels_beside_the_linked_pictures(result, tmp_path, alphas):
    target = tmp_path / "yolo"
    write_annotations(result, target, "yolo")
    config = (target / "data.yaml").read_text()
    assert "train: all.txt" in config and f"  {len(CLASSES) - 1}: {CLASSES[-1]}" in config
    listed = (target / "all.txt").read_text().splitlines()
    assert len(listed) == 7
    for line in listed:
        picture = target / line
        width, height = Image.open(picture).size
        label = target / line.replace("/images/", "/labels/")
        rows = [text.split() for text in label.with_suffix(".txt").read_text().splitlines()]
        assert len(rows) == 2 and rows[0][0] == "0"
        x, y, across, down = (float(value) for value in rows[1][1:])
        box = cv2.boundingRect(alphas[line.removeprefix("./images/")].astype(np.uint8))
        expected = [box[0] + box[2] / 2, box[1] + box[3] / 2, *box[2:]]
        assert [x * width, y * height, across * width, down * height] == pytest.approx(expected, abs=0.01)


def test_yolo_outlines_are_polygons_inside_the_picture(result, tmp_path):
    write_annotations(result, tmp_path / "yolo", "yolo", "polygon")
    for path in (tmp_path / "yolo" / "labels").rglob("*.txt"):
        for line in path.read_text().splitlines():
            values = [float(value) for value in line.split()[1:]]
            assert len(values) >= 8 and len(values) % 2 == 0
            assert min(values) >= 0 and max(values) <= 1


def test_voc_counts_pixels_from_one(result, tmp_path, alphas):
    target = tmp_path / "voc"
    write_annotations(result, target, "voc")
    for name in (target / "ImageSets" / "Main" / "all.txt").read_text().splitlines():
        assert (target / "JPEGImages" / f"{name}.jpg").is_file()
        top = ElementTree.parse(target / "Annotations" / f"{name}.xml").getroot()
        mask = top.findall("object")[1]
        corners = [int(mask.findtext(f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")]
        x, y, across, down = cv2.boundingRect(alphas[f"{name}.jpg"].astype(np.uint8))
        assert corners == [x + 1, y + 1, x + across, y + down]
        assert mask.findtext("name") in CLASSES


def test_without_alphas_the_boxes_are_the_manifests(tmp_path):
    root = write_dataset(tmp_path / "faces", count=2)
    masked(root, tmp_path / "out")
    for picture in annotated_images(tmp_path / "out", packed=False):
        face, mask = picture.objects
        assert mask.box_xywh == picture.row.faces[0].mask_box and mask.shape is None
        assert face.box_xywh == picture.row.faces[0].box


def test_tars_give_coco_and_nothing_that_names_loose_files(tmp_path):
    root = write_dataset(tmp_path / "faces", count=3)
    masked(root, tmp_path / "tars", layout="webdataset", alpha=True)
    assert write_annotations(tmp_path / "tars", tmp_path / "coco", "coco") == 3
    with pytest.raises(UsageError, match="loose files"):
        write_annotations(tmp_path / "tars", tmp_path / "yolo", "yolo")


def test_again_gives_the_same_bytes_and_files_of_others_stay(result, tmp_path):
    write_annotations(result, tmp_path / "coco", "coco")
    before = tree(tmp_path / "coco")
    write_annotations(result, tmp_path / "coco", "coco")
    assert tree(tmp_path / "coco") == before
    assert [path.name for path in tmp_path.iterdir()] == ["coco"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="not written"):
        write_annotations(result, tmp_path / "mine", "coco")
    with pytest.raises(UsageError, match="outside of the result"):
        write_annotations(result, result / "coco", "coco")


def test_run_lengths_and_polygons_of_a_shape():
    shape = Shape(np.array([[1, 1], [1, 0]], bool), (1, 0))
    assert shape.run_lengths((3, 2)) == [2, 3, 1]
    assert Shape(np.ones((1, 1), bool), (0, 0)).run_lengths((2, 1)) == [0, 1, 1]
    assert Shape(np.ones((2, 3), bool), (4, 5)).polygons() == [
        [4.25, 5.25, 4.25, 6.75, 6.75, 6.75, 6.75, 5.25]
    ]


def test_the_command_writes_beside_the_result_and_refuses_what_a_format_cannot_hold(result, capsys):
    assert main(["annotations", str(result), "--format", "coco", "--outlines", "rle"]) == 0
    assert "7 images" in capsys.readouterr().err
    made = json.loads((result.with_name("out-coco") / "instances_all.json").read_text())
    assert made["licenses"][0]["name"]
    assert main(["annotations", str(result), "--format", "voc", "--outlines", "polygon"]) == 2
    assert "coco can" in capsys.readouterr().err
