"""The command line as a shell sees it: exit codes, what goes to stdout and what to stderr."""

import json
import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from maskgen.__main__ import main
from maskgen.cli import cli
from maskgen.commands.shared.parameters import share as read_share
from maskgen.masking.garment.shapes import SHAPES
from maskgen.masking.templates.library import template_folder

REPOSITORY = Path(__file__).parents[1]
PORTRAIT = REPOSITORY / "maskgen" / "datasets" / "sample" / "eileen_collins_face.jpg"


def maskgen(*arguments, cwd=None, stdin=None, env=None):
    """Run the real program; stdout is bytes, stderr is text."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MASKGEN_")}
    done = subprocess.run(
        [sys.executable, "-m", "maskgen", *map(str, arguments)],
        cwd=cwd,
        input=b"" if stdin is None else stdin,
        capture_output=True,
        check=False,
        env={**inherited, "PYTHONPATH": str(REPOSITORY), **(env or {})},
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["synth"], "Missing option '--dataset'"),
        (["synth", "--dataset", "cifar"], "'cifar' is not one of"),
        (["synth", "--dataset", "sample", "--blend", "glue"], "'glue' is not one of"),
        (["synth", "--dataset", "sample", "--shard", "3/2"], "I must be between 1 and N"),
        (["synth", "--dataset", "sample", "--shard", "x"], "expected I/N, such as 1/8"),
        (["synth", "--dataset", "sample", "--variants", "0"], "0 is not in the range"),
        (["synth", "--dataset", "sample", "--wear", "correct=much"], "must be a number"),
        (["synth", "--dataset", "sample", "--wear", "upside-down"], "wear must be one of"),
        (["synth", "--dataset", "sample", "--template", "no-such-mask"], "no-such-mask"),
        (["synth", "--dataset", "sample", "--color", "blurple"], "blurple"),
        (["synth", "--dataset", "sample", "--pattern", "plaids"], "plaids"),
        (["synth", "--dataset", "sample", "--config", "absent.toml"], "absent.toml"),
        (["apply", "absent.jpg", "out.jpg"], "absent.jpg"),
        (["apply", "-", "-", "--json"], "cannot both go to stdout"),
        (["report", "absent"], "maskgen.json is not there"),
        (["merge", "absent"], "absent"),
        (["templates", "check", "absent.png"], "absent"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(arguments, said, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = main(arguments)
    out, err = capfd.readouterr()
    assert code == 2
    assert said in err
    assert out == ""
    assert not list(tmp_path.iterdir())


def test_a_dataset_that_is_not_there_is_answered_with_where_what_and_the_home_page(tmp_path):
    code, out, err = maskgen("synth", "--dataset", "celeba", "--blend", "poisson", cwd=tmp_path)
    assert code == 2
    assert out == b""
    assert err.startswith("maskgen: error: ")
    for said in ("data/celeba", "img_align_celeba", "list_attr_celeba", "mmlab.ie.cuhk.edu.hk", "--root"):
        assert said in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("raised", [KeyboardInterrupt, click.Abort])
def test_an_interrupt_exits_130_and_says_how_to_go_on(raised, monkeypatch, capsys):
    def interrupted(**_):
        raise raised

    monkeypatch.setattr(cli, "main", interrupted)
    assert main([]) == 130
    assert "run the same command again to resume" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no pipes of this kind")
def test_a_reader_that_goes_away_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        done = subprocess.run(
            [sys.executable, "-m", "maskgen", "datasets", "--json"],
            stdout=nobody_reads,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.fixture(scope="module")
def masked_sample(tmp_path_factory):
    """`synth` over the embedded sample, once for all tests: (folder, exit code, stdout, stderr)."""
    folder = tmp_path_factory.mktemp("sample")
    return folder, *maskgen("synth", "--dataset", "sample", "--blend", "poisson", "--json", cwd=folder)


def test_synth_works_as_typed_with_dataset_and_blend(masked_sample):
    folder, code, _, err = masked_sample
    assert code == 0, err
    written = {path.name for path in (folder / "masked" / "sample").iterdir()}
    assert {"manifest.jsonl", "maskgen.json", "README.md", "preview.jpg", "metadata.jsonl"} <= written


def test_synth_prints_counts_as_json_on_stdout_and_for_people_on_stderr(masked_sample):
    _, _, out, err = masked_sample
    counts = json.loads(out)
    assert counts["statuses"] == {"masked": counts["samples"]}
    assert f"{counts['samples']} inputs: {counts['samples']} masked" in err
    assert "masked/sample" in err
    assert "\r" not in err, "a progress bar, though stderr is no terminal"


def test_quiet_is_silent_and_a_second_run_does_nothing(masked_sample):
    folder = masked_sample[0]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = maskgen("synth", "--dataset", "sample", "--blend", "poisson", "-q", cwd=folder)
    assert done == (0, b"", "")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_another_configuration_in_the_same_folder_exits_2_with_the_difference(masked_sample):
    folder = masked_sample[0]
    code, _, err = maskgen("synth", "--dataset", "sample", "--blend", "overlay", cwd=folder)
    assert code == 2
    assert "poisson" in err and "overlay" in err and "--overwrite" in err


def test_report_redraws_the_same_card_and_sheet(masked_sample):
    out = masked_sample[0] / "masked" / "sample"
    before = {name: (out / name).read_bytes() for name in ("README.md", "preview.jpg")}
    for name in before:
        (out / name).write_bytes(b"")
    code, stdout, err = maskgen("report", out)
    assert (code, stdout) == (0, b""), err
    assert {name: (out / name).read_bytes() for name in before} == before


def test_apply_through_pipes(tmp_path):
    code, out, err = maskgen("apply", "-", "-", stdin=PORTRAIT.read_bytes(), cwd=tmp_path)
    assert (code, err) == (0, "")
    masked = Image.open(BytesIO(out))
    assert masked.format == "JPEG"
    assert masked.size == Image.open(PORTRAIT).size
    assert out != PORTRAIT.read_bytes()
    assert not list(tmp_path.iterdir())


def test_apply_takes_the_format_of_the_name_and_prints_the_row(tmp_path):
    code, out, err = maskgen("apply", PORTRAIT, "out.png", "--json", cwd=tmp_path)
    assert code == 0, err
    assert Image.open(tmp_path / "out.png").format == "PNG"
    row = json.loads(out)
    assert (row["status"], row["file_name"]) == ("masked", "out.png")
    assert row["faces"][0]["coverage"]["mouth"] > 0.9


def test_apply_without_face_writes_no_file_and_passes_a_pipe_through(tmp_path):
    buffer = BytesIO()
    Image.new("RGB", (64, 64), (90, 120, 60)).save(buffer, "PNG")
    picture = buffer.getvalue()
    code, out, err = maskgen("apply", "-", "-", stdin=picture)
    assert (code, out) == (0, picture)
    assert "no_face" in err
    code, out, err = maskgen("apply", "-", "out.jpg", stdin=picture, cwd=tmp_path)
    assert (code, out) == (0, b"")
    assert "no_face" in err and "nothing written" in err
    assert not list(tmp_path.iterdir())


def test_apply_refuses_what_is_no_picture_and_its_own_input(tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    code, _, err = maskgen("apply", "page.jpg", "out.jpg", cwd=tmp_path)
    assert (code, "HTML" in err) == (2, True)
    code, _, err = maskgen("apply", "page.jpg", "page.jpg", cwd=tmp_path)
    assert (code, "OUT is IN" in err) == (2, True)
    assert (tmp_path / "page.jpg").read_text() == "<html>"


def test_landmarks_are_written_once_and_used_instead_of_the_model(masked_sample, tmp_path):
    code, out, err = maskgen("landmarks", "--dataset", "sample", "--out", "sample.landmarks", cwd=tmp_path)
    assert (code, out) == (0, b""), err
    options = ("--dataset", "sample", "--blend", "poisson", "--landmarks", "sample.landmarks", "-q")
    code, _, err = maskgen("synth", *options, cwd=tmp_path)
    assert code == 0, err
    for path in (masked_sample[0] / "masked" / "sample").glob("*.jpg"):
        assert (
            tmp_path / "masked" / "sample" / path.name
        ).read_bytes() == path.read_bytes() or path.name == "preview.jpg"


def test_templates_are_listed_for_people_and_programs():
    runner = CliRunner()
    rows = [json.loads(line) for line in runner.invoke(cli, ["templates", "--json"]).stdout.splitlines()]
    assert len(rows) >= 12
    assert {row["tone"] for row in rows} == {"light", "dark", "patterned"}
    assert {row["kind"] for row in rows} == set(SHAPES)
    lines = runner.invoke(cli, ["templates"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [row["name"] for row in rows]


def test_templates_preview_and_check(tmp_path):
    runner = CliRunner()
    result = runner.invoke(cli, ["templates", "preview", str(tmp_path / "masks.png"), "surgical"])
    assert result.exit_code == 0, result.output
    assert Image.open(tmp_path / "masks.png").width > 100
    mine, shipped = tmp_path / "mine.json", template_folder() / "surgical_blue.json"
    mine.write_text(shipped.read_text().replace("nonwoven", "silk"))
    result = runner.invoke(cli, ["templates", "check", str(mine), str(shipped)])
    assert result.exit_code == 2
    assert "mine.json" in result.stderr and "'silk'" in result.stderr
    assert result.stdout == f"{shipped}: sound\n"


def test_datasets_say_what_is_found_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKGEN_DATA", raising=False)
    rows = [json.loads(line) for line in CliRunner().invoke(cli, ["datasets", "--json"]).stdout.splitlines()]
    found = {row["name"]: row["found"] for row in rows}
    assert {"celeba", "lfw", "adience", "utkface", "fairface", "imdb-wiki", "widerface"} <= set(found)
    assert {name for name, place in found.items() if place} == {"sample"}
    assert "CelebA" in CliRunner().invoke(cli, ["datasets"]).stdout


@pytest.mark.parametrize(("text", "share"), [("1/1", (1, 1)), ("3/8", (3, 8)), ("8/8", (8, 8))])
def test_share(text, share):
    assert read_share(text) == share
