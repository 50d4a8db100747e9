"""Whatever stands in a file, reading it ends in a value or in one of the errors of `maskgen.errors`."""

import json

import cv2
import numpy as np
import pytest
from broken_bytes import READ, WHOLE
from fuzzing import DEEP, VALUES, damaged, examples, only_ours, with_values
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from small_runs import face, write_template

from maskgen.commands.shared.parameters import read_config
from maskgen.datasets import get_dataset
from maskgen.errors import UnreadableImageError
from maskgen.files.path_text import to_text
from maskgen.images.codec import decode, encode
from maskgen.landmarks.landmark_file import LandmarkFile, landmark_line
from maskgen.masking.mask_face import mask_image
from maskgen.masking.plan import plan
from maskgen.masking.templates.library import check_template, load_template
from maskgen.options import SynthOptions
from maskgen.results.card import write_card
from maskgen.results.contact_sheet import write_contact_sheet
from maskgen.results.manifest import read_manifest
from maskgen.run.state.run_dir import RunDir

PICTURES = [*WHOLE.values(), *(data for data, _ in READ.values())]


@examples(150)
@given(data=damaged(*PICTURES))
def test_decode(data):
    try:
        decoded = decode(data)
    except UnreadableImageError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert decoded.bgr.ndim == 3 and decoded.bgr.dtype == np.uint8
        encode(decoded.bgr, decoded)


LABELS = {
    "celeba": ("list_attr_celeba.txt", b"2\nMale Young\n000001.jpg -1 1\n000002.jpg 1 1\n"),
    "celeba boxes": ("list_bbox_celeba.txt", b"1\nimage_id x_1 y_1 width height\n000001.jpg 1 2 30 40\n"),
    "lfw": ("lfw_attributes.txt", b"#\tperson\timagenum\tMale\nAnn Lee\t1\t-1.5\n"),
    "lfw names": ("female_names.txt", b"Ann_Lee_0001.jpg\n"),
    "fairface": ("fairface_label_train.csv", b"file,age,gender,race\ntrain/1.jpg,50-59,Male,White\n"),
    "adience": (
        "fold_0_data.txt",
        b"user_id\toriginal_image\tface_id\tage\tgender\tx\n3@N0\tp.jpg\t1\t(25, 32)\tf\t10\n",
    ),
    "table": ("table.csv", b'path,gender,split,identity\n"1.jpg",Male,val,a\n2.jpg,f,test,b\n'),
    "table json": ("table.jsonl", b'{"path": "1.jpg", "gender": "m", "split": "val", "age": 3}\n'),
    "vggface2": ("identity_meta.csv", b'Class_ID, Name, Sample_Num, Flag, Gender\nn1, "A, b", 4, 0, m\n'),
    "widerface": (
        "wider_face_split/wider_face_train_bbx_gt.txt",
        b"0--Parade/1.jpg\n2\n449 330 122 149 0 0 0 0 0 0\n1 2 3 4 0 0 0 1 0 0\n",
    ),
}
BESIDE = ("img_celeba/000001.jpg", "train/1.jpg", "n1/1.jpg", "lfw/Ann_Lee/Ann_Lee_0001.jpg", "1.jpg")


@pytest.mark.parametrize("name", LABELS)
def test_label_files(tmp_path, name):
    file, whole = LABELS[name]
    for path in (file, *BESIDE, "WIDER_train/images/0--Parade/1.jpg"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    @examples(40)
    @given(data=damaged(whole, whole.replace(b"\n", b"\r\n"), whole.decode().encode("utf-16")))
    @example(data=DEEP)
    @example(data=whole + b"9" * 5000)
    def check(data):
        (tmp_path / file).write_bytes(data)
        samples = only_ours(lambda: list(get_dataset(name.split()[0]).samples(tmp_path)))
        for sample in samples or ():
            assert sample.path.is_relative_to(tmp_path) and ".." not in sample.path.parts
            json.dumps([sample.id, sample.note, sample.identity, dict(sample.attributes)]).encode()
            to_text(sample.relative)

    check()


def test_template_descriptions(tmp_path):
    picture = tmp_path / "plain.png"
    write_template(picture)
    told = json.loads(picture.with_suffix(".json").read_text())

    @examples(100)
    @given(data=with_values(told) | damaged(json.dumps(told).encode()))
    @example(data=DEEP)
    def check(data):
        picture.with_suffix(".json").write_bytes(data)
        assert all(isinstance(problem, str) for problem in check_template(picture))
        only_ours(load_template, str(picture))

    check()


ROW = {
    **{"schema": 1, "id": "a/1.jpg", "variant": 0, "status": "masked", "reason": None},
    **{"file_name": "a/1.jpg", "sha256": "0" * 64, "width": 9, "height": 9, "label": "a", "split": None},
    **{"identity": "x", "attributes": {"age": 3}, "seed": 0, "unmasked_file": None},
    "source": {"dataset": "folder", "path": "a/1.jpg", "sha256": None},
    "faces": [
        {
            **{"box": [1, 2, 3, 4], "mask_box": [1, 2, 3, 4], "landmarks": {"chin": [1.0, 2.0]}},
            "pose": {"yaw": 1.0, "pitch": 0.0, "roll": 0.0},
            **{"detection": "file", "template": "t", "template_sha256": "0", "kind": "cloth"},
            **{"tone": "dark", "color": None, "pattern": None, "fit": "mesh", "blend": "overlay"},
            **{"wear": "correct", "wear_agrees": True, "tries": 1, "occluded": 0.0, "alpha_file": "b.png"},
            "coverage": {"nose": 1.0, "mouth": 1.0, "chin": 1.0, "lower_face": 1.0},
        }
    ],
}


def row_with(**changes):
    return json.dumps({**ROW, **changes}).encode()


def test_manifests_and_what_is_made_of_them(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "maskgen.json").write_text("{}")

    @examples(100)
    @given(data=with_values(ROW) | damaged(json.dumps(ROW).encode()))
    @example(data=DEEP)
    def check(data):
        (out / "manifest.jsonl").write_bytes(data)
        only_ours(lambda: list(read_manifest(out / "manifest.jsonl")))
        only_ours(write_card, out)
        only_ours(write_contact_sheet, out, tmp_path)

    check()


def test_the_state_of_a_run(tmp_path):
    """Rows, stats and lists of files that a killed run, or someone else, has left in ``.maskgen``."""
    folder = RunDir(tmp_path / "out")
    folder.make_folders()
    outside = tmp_path / "precious.jpg"
    outside.touch()
    (folder.out / "kept").mkdir()
    stats = {
        **{"index": 0, "first": "a", "last": "b", "ids": "", "rows_sha256": ""},
        "counts": {"samples": 1, "rows": 1, "images": 1, "statuses": {"masked": 1}},
    }
    names = st.lists(VALUES, max_size=4).map(lambda values: json.dumps(values).encode())

    @examples(80)
    @given(
        rows=with_values(ROW) | damaged(json.dumps(ROW).encode()),
        told=with_values(stats),
        left=names | damaged(b'["a.jpg"]'),
    )
    @example(rows=DEEP, told=DEEP, left=DEEP)
    @example(rows=row_with(file_name=str(outside)), told=b"", left=b'["../precious.jpg"]')
    @example(rows=row_with(file_name=".."), told=b"", left=b'["kept", ".", "", "/"]')
    def check(rows, told, left):
        folder.make_folders()
        folder.rows_path(0).write_bytes(rows)
        folder.stats_path(0).write_bytes(told)
        (folder.folder / "shards" / "000000.left").write_bytes(left)
        folder.done()
        folder.settle(0)
        folder.remove(folder.written(0))
        assert outside.exists()

    check()


def test_landmark_files_and_the_masks_from_their_points(tmp_path):
    path = tmp_path / "landmarks.jsonl"
    line = landmark_line("a.jpg", (120, 140), [face()])
    image = np.full((140, 120, 3), 128, np.uint8)

    @examples(60)
    @given(data=with_values(json.loads(line)) | damaged(line.encode(), (line * 2).encode()))
    @example(data=DEEP)
    def check(data):
        path.write_bytes(data)
        opened = only_ours(LandmarkFile, path)
        if opened is not None:
            only_ours(lambda: opened.find(image, sample_id="a.jpg"))
            opened.close()

    check()


@settings(examples(40), phases=[Phase.explicit, Phase.generate])
@given(
    scale=st.floats(-3, 3),
    at=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    moved=st.lists(st.tuples(st.integers(0, 467), st.floats(-250, 350)), max_size=6),
)
@example(scale=0.0, at=(0.0, 0.0), moved=[])
@example(scale=1e30, at=(0.0, 0.0), moved=[])
@example(scale=1.0, at=(0.0, 0.0), moved=[(0, -1e9)])
def test_masks_from_points_that_are_no_face(tmp_path_factory, scale, at, moved):
    folder = tmp_path_factory.mktemp("template")
    picture, path = folder / "plain.png", folder / "landmarks.jsonl"
    write_template(picture)
    points = face().points.astype(np.float64) * scale
    points[:, :2] += at
    for index, value in moved:
        points[index] = value
    numbers = points.ravel().tolist()
    row = {"id": "a.jpg", "width": 120, "height": 140, "faces": [{"step": "x", "points": numbers}]}
    path.write_text(json.dumps(row))
    image = np.full((140, 120, 3), 128, np.uint8)
    found = only_ours(lambda: LandmarkFile(path).find(image, sample_id="a.jpg")) or []
    options = SynthOptions("folder", templates=((str(picture), 1.0),))
    templates = {str(picture): load_template(str(picture))}
    try:
        mask_image(image, found, [plan(options, "a.jpg", 0, 0) for _ in found], templates, options)
    except (ArithmeticError, ValueError, cv2.error) as error:
        # The worker makes a row of it; of a lack of memory it might not come to that.
        assert not isinstance(error, MemoryError)


CONFIG = {"blend": ("blend", False), "template": ("template", True), "seed": ("seed", False)}


@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_config_files(tmp_path, suffix):
    path = tmp_path / f"config{suffix}"
    json_text = b'{"blend": "poisson", "template": ["a", "b"], "seed": 3}'
    toml_text = b'blend = "poisson"\nseed = 3\n'

    @examples(60)
    @given(data=damaged(json_text, toml_text))
    @example(data=DEEP)
    @example(data=b"blend = " + DEEP)
    def check(data):
        path.write_bytes(data)
        only_ours(read_config, path, CONFIG)

    check()
