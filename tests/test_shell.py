"""maskgen among shells: completion, pipelines of examples/, settings, and exit codes, by real processes."""

import csv
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import landmark_file, masked, template_file, write_dataset, write_images

from maskgen.cli import COMMANDS

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def desk(tmp_path):
    """A folder with photos, and a `maskgen` that shells and make find."""
    write_dataset(tmp_path / "photos", count=4)
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "maskgen"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m maskgen "$@"\n')
    script.chmod(0o755)
    return tmp_path


def shell(folder, *command, env=None, shell_input=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MASKGEN_")}
    paths = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**clean, **paths, "PYTHON": sys.executable, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        input=shell_input,
    )


def small(desk):
    """Options with which no landmark model is opened."""
    photos = desk / "photos"
    return f"--landmarks {landmark_file(photos)} --template {template_file(photos)}"


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_the_shell_reads(desk, name):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    script = shell(desk, "maskgen", env={"_MASKGEN_COMPLETE": f"{name}_source"})
    assert script.returncode == 0 and "_MASKGEN_COMPLETE" in script.stdout, script.stderr
    (desk / "completion").write_text(script.stdout)
    # zsh has `compdef` only once its own completion is loaded, as in any ~/.zshrc that uses it.
    load = "autoload -Uz compinit && compinit -u -D; " if name == "zsh" else ""
    plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
    read = shell(desk, name, *plain, "-c", f"{load}source {desk / 'completion'}")
    assert (read.returncode, read.stderr) == (0, "")


def test_completion_offers_commands_and_the_values_of_options(desk):
    def offered(words):
        env = {"_MASKGEN_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        found = shell(desk, "maskgen", env=env).stdout.splitlines()
        return {line.partition(",")[2] for line in found}

    assert {"verify", "table", "annotations", "doctor"} <= offered("maskgen ")
    assert offered("maskgen synth --blend ") == {"overlay", "poisson", "flatten"}


def test_command_line_before_environment_before_config_before_default(desk):
    (desk / "run.toml").write_text('blend = "flatten"\nseed = 3\nmin-face = 12\n')
    line = f"synth --files-from list --root photos {small(desk)} --config run.toml --seed 1 -q"
    (desk / "list").write_text("female/000.jpg\n")
    env = {"MASKGEN_SYNTH_SEED": "2", "MASKGEN_SYNTH_BLEND": "poisson"}
    done = shell(desk, "maskgen", *shlex.split(line), env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    options = json.loads((desk / "masked" / "folder" / "maskgen.json").read_text())["options"]
    assert [options[name] for name in ("seed", "blend", "min_face", "fit")] == [1, "poisson", 12.0, "mesh"]


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_the_makefile_runs_once_and_then_has_nothing_to_do(desk):
    line = ["make", "-f", REPOSITORY / "examples" / "Makefile", "DATASET=folder", "ROOT=photos"]
    line += [f"OPTIONS={small(desk)} --alpha"]
    done = shell(desk, *line)
    assert done.returncode == 0, done.stderr
    assert (desk / "masked" / "folder-coco" / "instances_all.json").is_file()
    assert (desk / "masked" / "folder.csv").read_text().startswith("id,variant")
    again = shell(desk, *line)
    assert again.returncode == 0 and "maskgen" not in again.stdout


def test_lfw_pairs_under_masks_are_three_lines_for_each_pair(desk):
    root = desk / "lfw"
    write_images(root, [f"lfw/{who}/{who}_000{n}.jpg" for who in ("Ann_A", "Bea_B") for n in (1, 2)])
    (root / "pairs.txt").write_text("1\t2\nAnn_A\t1\t2\nAnn_A\t1\tBea_B\t2\nAnn_A\t1\tBea_B\t3\n")
    env = {"MASKGEN_SYNTH_LANDMARKS": str(landmark_file(root))}
    done = shell(desk, "bash", REPOSITORY / "examples" / "lfw_pairs.sh", root, "masked/lfw", env=env)
    assert done.returncode == 0, done.stderr
    assert "1 pairs have an image" in done.stderr
    with (desk / "masked" / "lfw.pairs.tsv").open() as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    assert [(line["same"], line["condition"]) for line in lines] == [
        (same, condition) for same in "10" for condition in ("none", "one", "both")
    ]
    for line in lines:
        assert all((desk / "masked" / "lfw" / line[name]).is_file() for name in ("first", "second"))


def test_the_stages_for_dvc_name_commands_that_there_are():
    text = (REPOSITORY / "examples" / "dvc.yaml").read_text()
    commands = [part.split()[0] for part in text.split("maskgen ")[1:]]
    assert commands == ["synth", "verify", "table"]
    assert set(commands) <= set(COMMANDS)


def test_exit_codes_are_those_of_the_readme(desk):
    (desk / "photos" / "male" / "broken.jpg").write_bytes(b"no image")
    few = f"synth --dataset folder --root photos {small(desk)} --max-errors 0"
    failed = shell(desk, "maskgen", *shlex.split(few))
    assert failed.returncode == 1 and "--max-errors" in failed.stderr and "\r" not in failed.stderr
    assert shell(desk, "maskgen", "synth", "--no-such-option").returncode == 2
    masked(desk / "photos", desk / "out")
    (desk / "out" / "male" / "001.jpg").unlink()
    assert shell(desk, "maskgen", "verify", "out").returncode == 1
