"""`maskgen verify`: what is missing, changed or extra in a result is found, and nothing else is said."""

import json
import shutil
import tarfile
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from small_runs import landmark_file, masked, tree, write_dataset

from maskgen.__main__ import main
from maskgen.results.manifest import read_manifest
from maskgen.verify.result import Verifier

LAYOUTS = ("mirror", "folders", "webdataset")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    root = write_dataset(tmp_path_factory.mktemp("verify") / "faces", count=8)
    for layout in LAYOUTS:
        masked(root, root.with_name(layout), layout=layout, pairs=True, alpha=True)
    return root


@pytest.fixture
def result(sources, tmp_path, request):
    """A copy of a run that a test may damage."""
    layout = getattr(request, "param", "mirror")
    shutil.copytree(sources.with_name(layout), tmp_path / "out")
    return tmp_path / "out"


def found(out, **options):
    return {(finding.kind, finding.file) for finding in Verifier(out, **options).run()}


def edit_row(out, number, change):
    lines = (out / "manifest.jsonl").read_text("utf-8").splitlines()
    row = json.loads(lines[number])
    change(row)
    lines[number] = json.dumps(row, ensure_ascii=False)
    (out / "manifest.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("result", LAYOUTS, indirect=True)
def test_a_result_as_it_was_written_has_no_findings_and_is_not_touched(result, workers):
    before = tree(result)
    verifier = Verifier(result)
    assert list(verifier.run(workers)) == []
    assert verifier.result.as_dict() == {
        **{"ok": True, "rows": 8, "files": 21, "alphas": 7},
        **{"missing": 0, "changed": 0, "extra": 0, "contradicted": 0},
    }
    assert tree(result) == before


@pytest.mark.parametrize("result", LAYOUTS, indirect=True)
def test_a_published_result_needs_no_state_of_its_run(result):
    shutil.rmtree(result / ".maskgen")
    assert found(result) == set()


@pytest.mark.parametrize("name", ["female/000.jpg", "unmasked/female/000.jpg", "alpha/female/000.jpg.png"])
def test_what_is_gone_is_missing_and_what_is_no_picture_is_changed(result, name):
    (result / name).write_bytes(b"no image")
    assert found(result) == {("changed", name)}
    (result / name).unlink()
    assert found(result) == {("missing", name)}


def test_one_bit_of_a_picture_is_found(result):
    data = bytearray((result / "male/001.jpg").read_bytes())
    data[-20] ^= 1
    (result / "male/001.jpg").write_bytes(data)
    assert found(result) == {("changed", "male/001.jpg")}


@pytest.mark.parametrize("mesh", ["nearly", "exactly"])
def test_an_alpha_that_covers_something_else_is_found(result, sources, mesh):
    options = {"landmarks": landmark_file(sources)} if mesh == "exactly" else {}
    assert found(result, **options) == set()
    name = "alpha/female/000.jpg.png"
    alpha = np.asarray(Image.open(result / name))
    rows = np.flatnonzero(alpha.any(axis=1))
    # The mask slips by a third of its height.
    lower = np.roll(alpha, len(rows) // 3, axis=0) * (np.arange(len(alpha))[:, None] <= rows[-1])
    Image.fromarray(lower.astype(np.uint8)).save(result / name)
    assert found(result, **options) == {("changed", name)}


def test_with_the_landmarks_a_small_change_of_an_alpha_is_found_too(result, sources):
    name = "alpha/female/000.jpg.png"
    alpha = np.asarray(Image.open(result / name)).copy()
    x, y = map(round, next(read_manifest(result / "manifest.jsonl")).faces[0].landmarks["left_mouth"])
    alpha[y - 2 : y + 3, x : x + 5] = 0
    Image.fromarray(alpha).save(result / name)
    assert found(result) == set()
    assert found(result, landmarks=landmark_file(sources)) == {("changed", name)}


def test_an_alpha_beside_every_mask_box_is_found(result):
    name = "alpha/female/000.jpg.png"
    alpha = np.asarray(Image.open(result / name)).copy()
    alpha[:4, :4] = 255
    Image.fromarray(alpha).save(result / name)
    assert found(result) == {("changed", name)}


def test_what_no_row_names_is_extra(result):
    (result / "female/new.jpg").write_bytes(b"")
    (result / "notes.txt").write_text("mine")
    assert found(result) == {("extra", "female/new.jpg"), ("extra", "notes.txt")}


def test_a_row_edited_or_gone_is_found_by_what_its_shard_left(result):
    edit_row(result, 4, lambda row: row.update(seed=5))
    assert found(result) == {("changed", "manifest.jsonl")}
    lines = (result / "manifest.jsonl").read_text("utf-8").splitlines(keepends=True)
    (result / "manifest.jsonl").write_text("".join(lines[:-1]), "utf-8")
    kinds = {kind for kind, file in found(result) if file == "manifest.jsonl"}
    assert kinds == {"changed", "missing"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda row: row.update(label="male"), {("changed", "maskgen.json"), ("changed", "metadata.jsonl")}),
        (
            lambda row: row["faces"][0]["coverage"].update(lower_face=0.1),
            {("changed", "alpha/female/000.jpg.png")},
        ),
        (lambda row: row["faces"][0].update(template_sha256="0"), {("changed", "female/000.jpg")}),
        (lambda row: row.update(sha256="0"), {("changed", "female/000.jpg")}),
        (
            lambda row: row.update(file_name="../faces/female/000.jpg"),
            {("changed", "manifest.jsonl, line 1"), ("extra", "female/000.jpg")},
        ),
        (lambda row: row.update(id="male/001.jpg"), {("changed", "manifest.jsonl")}),
        (lambda row: row.pop("sha256"), {("changed", "manifest.jsonl, line 1")}),
    ],
)
def test_an_edited_manifest_is_found_by_itself(result, change, expected):
    shutil.rmtree(result / ".maskgen")
    edit_row(result, 0, change)
    assert found(result) >= expected


def test_an_edited_run_record_is_found(result):
    record = json.loads((result / "maskgen.json").read_text("utf-8"))
    for part, value in (("counts", {**record["counts"], "images": 99}), ("options", {"seed": 1})):
        (result / "maskgen.json").write_text(json.dumps({**record, part: value}), "utf-8")
        assert ("changed", "maskgen.json") in found(result)


def test_an_edited_metadata_file_is_found(result):
    with (result / "metadata.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    assert found(result) == {("changed", "metadata.jsonl")}
    (result / "metadata.jsonl").unlink()
    assert found(result) == {("missing", "metadata.jsonl")}


@pytest.mark.parametrize("result", ["webdataset"], indirect=True)
def test_members_of_tars_are_checked_like_files(result):
    path = result / "shards/000000.tar"
    with tarfile.open(path) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members:
            changed = {"female/000.jpg": data + b"x", "female/002.json": b"{}"}.get(name, data)
            for written in [] if name == "female/000.alpha.png" else [name]:
                info = tarfile.TarInfo(written)
                info.size = len(changed)
                tar.addfile(info, BytesIO(changed))
        tar.addfile(tarfile.TarInfo("stray.jpg"), BytesIO())
    assert found(result) == {
        ("changed", "shards/000000.tar/female/000.jpg"),
        ("changed", "shards/000000.tar/female/002.json"),
        ("missing", "shards/000000.tar/female/000.alpha.png"),
        ("extra", "shards/000000.tar/stray.jpg"),
    }
    path.unlink()
    assert {kind for kind, _ in found(result)} == {"missing"}


def test_the_command_says_it_in_lines_and_by_its_exit_code(result, capsys, tmp_path):
    assert main(["verify", str(result)]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "8 rows, 21 files, 7 alphas: no differences" in err
    (result / "female/000.jpg").unlink()
    assert main(["verify", str(result), "--json", "-q"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["kind"] == "missing" and lines[0]["file"] == "female/000.jpg"
    assert (lines[-1]["ok"], lines[-1]["missing"]) == (False, 1)
    assert main(["verify", str(tmp_path)]) == 2
    assert "maskgen.json is not there" in capsys.readouterr().err
