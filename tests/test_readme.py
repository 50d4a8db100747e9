"""Every code block of the README and of the site is run, over tiny copies of the datasets it names."""

import os
import re
import shlex
import subprocess
import sys
import tarfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from clusters import dask_scheduler, dask_worker
from documents import PAGES, TEXT, blocks, unmarked_languages
from PIL import Image

from maskgen.cli import cli
from maskgen.datasets import DATASETS
from maskgen.masking.templates.library import list_templates
from maskgen.results.manifest import ROW_FIELDS, read_manifest

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
# Libraries that a block may need; where one is not installed, its blocks are skipped.
OPTIONAL = ("albumentations", "torch", "torchvision", "tensorflow")
PORTRAIT = REPOSITORY / "maskgen" / "datasets" / "sample" / "eileen_collins_face.jpg"

INSTALLING = [block for block in blocks("sh") if "pip install" in block]
ON_CLUSTERS = [block for block in blocks("sh") if "--scheduler" in block]
# Run with less of everything, by tests/test_benchmark.py, tests/train/test_benchmark_train_input.py and
# tests/train/test_train_readme.py.
MEASURING = [block for block in blocks("sh") if "python examples/benchmark" in block]
TRAINING = [block for block in blocks("sh") if "maskgen train" in block]
ELSEWHERE = [*INSTALLING, *ON_CLUSTERS, *MEASURING, *TRAINING]
RUNNING = [block for block in blocks("sh") if block not in ELSEWHERE]

# Runs the jobs of an array at once, one after the other.
SBATCH = """\
#!/usr/bin/env bash
set -euo pipefail
while [[ $1 == --* ]]; do
    if [[ $1 == --array=* ]]; then array=${1#--array=}; fi
    shift
done
for ((task = ${array%-*}; task <= ${array#*-}; task++)); do
    SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=$((${array#*-} - ${array%-*} + 1)) bash "$@"
done
echo 4711
"""


@pytest.fixture
def desk(tmp_path):
    """A folder with what the README's reader has: a small CelebA, photographs, a template, and `maskgen`."""
    celeba = tmp_path / "data" / "celeba" / "img_align_celeba"
    photos = tmp_path / "photos"
    for folder in (celeba, photos, tmp_path / "bin"):
        folder.mkdir(parents=True)
    portrait = Image.open(PORTRAIT).convert("RGB").resize((218, 218))
    for number in (1, 2):
        portrait.crop((20, 0, 198, 218)).save(celeba / f"{number:06}.jpg", quality=90 + number)
    (celeba.parent / "list_attr_celeba.txt").write_text(
        "2\nMale Smiling \n000001.jpg -1  1\n000002.jpg -1 -1\n"
    )
    (celeba.parent / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 2\n")
    for name in ("a.jpg", "b.jpg"):
        portrait.save(photos / name)
    lfw = tmp_path / "data" / "lfw"
    for name in ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bob_Ray/Bob_Ray_0001.jpg"):
        (lfw / "lfw" / name).parent.mkdir(parents=True, exist_ok=True)
        portrait.save(lfw / "lfw" / name, quality=90 + len(list(lfw.rglob("*.jpg"))))
    (lfw / "pairs.txt").write_text("1\t1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBob_Ray\t1\n")
    portrait.save(tmp_path / "photo.jpg")
    own_masks = (REPOSITORY / "docs" / "how-to" / "own-masks.md").read_text(encoding="utf-8")
    (tmp_path / "mine.json").write_text(blocks("json", own_masks)[0])
    (tmp_path / "shards").mkdir()
    with tarfile.open(tmp_path / "shards" / "000000.tar", "w") as tar:
        tar.add(photos / "a.jpg", "a.jpg")
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    run = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m maskgen "$@"\n'
    python = run.replace(" -m maskgen", "")
    for name, script in (("maskgen", run), ("python", python), ("sbatch", SBATCH)):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def shell(script, folder):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MASKGEN_")}
    paths = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**clean, **paths, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("block", RUNNING, ids=lambda block: block.split("\n")[0][:60])
def test_commands_run_and_mask(block, desk):
    if "examples/on_the_fly.py" in block:
        pytest.importorskip("sklearn")
    done = shell(block, desk)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    for manifest in desk.glob("masked/*/manifest.jsonl"):
        assert {row.status for row in read_manifest(manifest)} == {"masked"}
    if "synth" in block:
        assert list(desk.glob("masked/*/manifest.jsonl"))


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.strip().split("\n")[-1][:60])
def test_python_runs(block, desk):
    for name in OPTIONAL:
        if re.search(rf"(?:import|from) {name}\b|integrations\.{name}", block):
            pytest.importorskip(name)
    (desk / "block.py").write_text(block, "utf-8")
    done = shell(f"{shlex.quote(sys.executable)} block.py", desk)
    assert done.returncode == 0, done.stderr


def test_what_is_not_run_is_marked_so():
    # The others are output, data files, and lines for a shell's start file.
    assert unmarked_languages() - {"sh", "python"} <= {"text", "json", ""}


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_commands_for_clusters_run_on_one_of_this_machine(backend, desk):
    (block,) = (block for block in ON_CLUSTERS if f"--backend {backend}" in block)
    pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    with ExitStack() as stack:
        address = "local"
        if backend == "dask":
            address, _ = stack.enter_context(dask_scheduler(desk))
            stack.enter_context(dask_worker(address, desk / "worker"))
        done = shell(re.sub(r"--scheduler \S+", f"--scheduler {address}", block), desk)
    assert done.returncode == 0, done.stderr
    assert {row.status for row in read_manifest(desk / "masked" / "celeba" / "manifest.jsonl")} == {"masked"}


def test_the_two_lines_install_mask_and_test_and_are_what_the_checks_run():
    mask, test = (block for block in blocks("sh", README) if "pip install" in block)
    assert mask.strip().endswith("&& .venv/bin/maskgen synth --dataset sample --blend poisson")
    assert test.strip() == ".venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest -n auto"
    for pattern in re.findall(r"grep -m 1 ('.*?'|\".*?\") README", (REPOSITORY / ".ci" / "run").read_text()):
        found = [line for line in README.splitlines() if re.search(shlex.split(pattern)[0], line)]
        assert found in ([mask.strip()], [test.strip()])


def test_the_celeba_pipeline_masks_joins_and_counts(desk):
    done = shell(f"bash {shlex.quote(str(REPOSITORY / 'examples' / 'celeba.sh'))}", desk)
    assert done.returncode == 0, done.stderr
    counted = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[:2] for line in counted] == [["test", "female"], ["train", "female"]]
    assert (desk / "masked" / "celeba" / "unmasked" / "img_align_celeba" / "000001.jpg").is_file()


def test_the_tables_name_every_dataset_kind_option_and_field():
    assert set(re.findall(r"^\| `([\w-]+)` \| .* \| .* \|$", TEXT, re.MULTILINE)) >= set(DATASETS)
    for kind in {template.kind for template in list_templates()}:
        assert f"`{kind}`" in TEXT
    synth = cli.get_command(None, "synth")
    for option in synth.params:
        names = [*option.opts, *option.secondary_opts]
        if not {"--verbose", "--quiet", "--root", "--out", "--jobs", "--shard-size"} & set(names):
            assert any(name in TEXT for name in names), names
    for field in set(ROW_FIELDS) - {"schema"}:
        assert f"`{field}`" in TEXT


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_file_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / name).is_file(), name
    for name in re.findall(r"`((?:maskgen|tests|examples)/[\w/.]+)`", text):
        assert (REPOSITORY / name).exists(), name


def test_the_readme_is_a_page():
    assert len(README.splitlines()) <= 120
    assert len(blocks("sh", README)[2].splitlines()) == 5
