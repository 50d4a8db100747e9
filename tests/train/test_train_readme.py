"""The tutorial's way from a dataset to a model that another program can use, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import TEXT, blocks
from PIL import Image
from train_data import needs_onnx, needs_train

from maskgen.cli import cli
from maskgen.train.model.backbones import BACKBONES
from maskgen.train.model.build import HEADS

pytestmark = [needs_train, needs_onnx]

REPOSITORY = Path(__file__).parents[2]
PORTRAIT = REPOSITORY / "maskgen" / "datasets" / "sample" / "eileen_collins_face.jpg"
FRESH_MASKS, BLOCK, REAL_RUN = (block for block in blocks("sh") if "maskgen train" in block)

# One process for all lines: each would import tensorflow anew.
PROGRAM = """
import shlex, sys
from maskgen.__main__ import main
for line in sys.stdin.read().splitlines():
    words = shlex.split(line)
    assert words[0] == "maskgen", line
    assert main(words[1:]) == 0, line
"""


@pytest.fixture
def desk(tmp_path):
    """A CelebA of twelve images, all of one portrait, and a photograph."""
    celeba = tmp_path / "data" / "celeba" / "img_align_celeba"
    celeba.mkdir(parents=True)
    portrait = Image.open(PORTRAIT).convert("RGB").resize((218, 218))
    portrait.save(tmp_path / "photo.jpg")
    attributes, splits = ["12", "Male Smiling"], []
    for number in range(1, 13):
        portrait.crop((14 + number, 0, 192 + number, 218)).save(
            celeba / f"{number:06}.jpg", quality=80 + number
        )
        attributes.append(f"{number:06}.jpg {(-1, 1)[number % 2]} 1")
        splits.append(f"{number:06}.jpg {(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2)[number - 1]}")
    (celeba.parent / "list_attr_celeba.txt").write_text("\n".join(attributes) + "\n")
    (celeba.parent / "list_eval_partition.txt").write_text("\n".join(splits) + "\n")
    return tmp_path


@pytest.fixture
def faces(tmp_path):
    """A FairFace of eight images and an LFW of two, all of one portrait."""
    portrait = Image.open(PORTRAIT).convert("RGB").resize((218, 218))
    fairface, lfw = tmp_path / "data" / "fairface", tmp_path / "data" / "lfw"
    for split in ("train", "val"):
        (fairface / split).mkdir(parents=True)
        rows = ["file,age,gender,race,service_test"]
        for number in range(1, 5):
            quality = 80 + number + 4 * (split == "val")
            portrait.save(fairface / split / f"{number}.jpg", quality=quality)
            rows.append(f"{split}/{number}.jpg,30-39,{('Male', 'Female')[number % 2]},White,True")
        (fairface / f"fairface_label_{split}.csv").write_text("\n".join(rows) + "\n")
    for name, listed in (("Ann_Lee", "female_names.txt"), ("Bob_Ray", "male_names.txt")):
        (lfw / "lfw" / name).mkdir(parents=True)
        portrait.save(lfw / "lfw" / name / f"{name}_0001.jpg", quality=95 - len(listed))
        (lfw / listed).write_text(f"{name}_0001.jpg\n")
    return tmp_path


def run(lines, folder, **options):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MASKGEN_")}
    paths = os.pathsep.join(path for path in (str(REPOSITORY), os.environ.get("PYTHONPATH")) if path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env={**clean, **{f"MASKGEN_TRAIN_{k}": v for k, v in options.items()}, "PYTHONPATH": paths},
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def test_the_commands_go_from_a_dataset_to_an_exported_model(desk):
    small = {"BACKBONE": "tiny-cnn", "SIZE": "32", "WEIGHTS": "none", "EPOCHS": "1", "BATCH_SIZE": "8"}
    done = run(BLOCK, desk, **small)
    for name in ("preview.png", "best.keras", "best.onnx", "README.md", "curves.png"):
        assert (desk / "runs" / "first" / name).is_file(), name
    assert (desk / "tables" / "evaluation.md").is_file()
    assert (desk / "annotated" / "photo.jpg.png").is_file()
    assert "pairs, masked" in done.stdout and "median" in done.stdout


def test_the_real_run_works_with_few_images_and_a_small_network(faces):
    small = re.sub("--backbone [a-z0-9_]+ --size 128", "--backbone tiny-cnn --size 32", REAL_RUN)
    done = run(small, faces, WEIGHTS="none", EPOCHS="1", BATCH_SIZE="8")
    for data in ("fairface", "lfw"):
        assert f"| lite0 | {data} | pairs, unmasked |" in done.stdout


def test_masks_are_put_on_while_training(desk):
    run("maskgen synth --dataset celeba --pairs", desk)
    small = {"BACKBONE": "tiny-cnn", "SIZE": "32", "WEIGHTS": "none", "EPOCHS": "1", "BATCH_SIZE": "8"}
    run(FRESH_MASKS, desk, **small)
    (run_folder,) = (desk / "runs").iterdir()
    assert '"mask_on_the_fly": 0.5' in (run_folder / "run.json").read_text()


def test_the_table_names_every_option_backbone_and_head():
    for name in {re.sub(r"_(b|s|lite)\d?$", "", name) for name in BACKBONES} | set(HEADS):
        assert name in TEXT, name
    for option in cli.get_command(None, "train").params:
        names = {*option.opts, *option.secondary_opts}
        if not names & {"data", "--out", "--json", "--quiet", "--verbose", "--config", "--help-all"}:
            assert any(f"`{name}`" in TEXT for name in names), names
