"""What others say in manifests, and what lies in folders of theirs, leads nowhere else."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from small_runs import masked, write_dataset

from maskgen.errors import AnnotationError, ConfigurationError
from maskgen.files.safe_paths import leads_out
from maskgen.results.contact_sheet import write_contact_sheet
from maskgen.results.manifest import read_manifest
from maskgen.run.state.run_dir import RunDir
from maskgen.train.data.examples import Wanted
from maskgen.train.data.listing import list_folder

EVIL = ["../secret.jpg", "/etc/passwd", "a/../../secret.jpg", "..", "", "a\0.jpg"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = write_dataset(tmp_path_factory.mktemp("data") / "faces", count=2)
    masked(root, root.with_name("out"), pairs=True, alpha=True)
    return root, root.with_name("out")


@pytest.fixture
def out(whole, tmp_path):
    """A copy of the result, and beside it an image that is none of its own."""
    shutil.copytree(whole[1], tmp_path / "out")
    Image.new("RGB", (120, 140), (255, 0, 0)).save(tmp_path / "secret.jpg", quality=95)
    return tmp_path / "out"


def change(out, **changes):
    lines = [{**json.loads(line), **changes} for line in (out / "manifest.jsonl").read_text().splitlines()]
    (out / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return lines


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("field", ["file_name", "unmasked_file", "alpha_file"])
def test_a_manifest_that_leads_out_is_refused_with_its_line(out, field, name):
    if field == "alpha_file":
        faces = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])["faces"]
        change(out, faces=[{**faces[0], "alpha_file": name}])
    else:
        change(out, **{field: name})
    with pytest.raises(ConfigurationError, match=r"manifest\.jsonl, line 1: .*a path below the folder"):
        list(read_manifest(out / "manifest.jsonl"))
    with pytest.raises(ConfigurationError, match="a path below the folder"):
        list(list_folder(out, Wanted(None, "masked")))


@pytest.mark.parametrize("name", ["a.jpg", "..a/b..jpg", "a/...", "~/x", "back\\slash.jpg", "C:x.jpg", "-rf"])
def test_names_that_lead_down_are_taken(name):
    assert not leads_out(name)


def reds(out):
    sheet = Image.open(out / "preview.jpg").convert("RGB")
    red, green, blue = np.moveaxis(np.asarray(sheet), 2, 0)
    return int(((red > 230) & (green < 60) & (blue < 60)).sum())


def test_the_contact_sheet_shows_no_source_from_elsewhere(whole, out):
    source = {"dataset": "folder", "path": "../secret.jpg", "sha256": None}
    change(out, source=source)
    write_contact_sheet(out, out)
    assert reds(out) == 0


def test_links_in_a_result_lead_nowhere_else(whole, out):
    (out / "female/000.jpg").unlink()
    (out / "female/000.jpg").symlink_to("../../secret.jpg")
    write_contact_sheet(out, whole[0])
    assert reds(out) == 0
    with pytest.raises(AnnotationError, match="is a link out of"):
        list(list_folder(out, Wanted(None, "masked")))


def test_removing_and_resuming_a_run_touches_nothing_outside(whole, out):
    """Its state says that it has written files of others."""
    folder = RunDir(out)
    precious = out.with_name("secret.jpg")
    before = os.stat(precious)  # noqa: PTH116
    for path in (out / ".maskgen/shards").glob("*.jsonl"):
        row = json.loads(path.read_text().splitlines()[0])
        names = (*EVIL, str(precious), "female", ".maskgen", "x" * 300)
        path.write_text("".join(json.dumps({**row, "file_name": name}) + "\n" for name in names))
    (out / ".maskgen/shards/000000.left").write_text(
        json.dumps(["../secret.jpg", 5, None, ["a"], str(precious)])
    )
    for index in folder.begun():
        folder.settle(index)
        folder.remove(folder.written(index))
    assert os.stat(precious).st_mtime_ns == before.st_mtime_ns  # noqa: PTH116
    assert (out / ".maskgen").is_dir()
