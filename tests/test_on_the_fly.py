"""``examples/on_the_fly.py`` over a few images: its three ways are judged on the same photographs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from clusters import environment
from PIL import Image

pytest.importorskip("sklearn")

REPOSITORY = Path(__file__).parents[1]
PORTRAIT = REPOSITORY / "maskgen" / "datasets" / "sample" / "eileen_collins_face.jpg"


def test_every_way_is_judged_on_the_same_photographs(tmp_path):
    portrait = Image.open(PORTRAIT).convert("RGB")
    (tmp_path / "faces").mkdir()
    for number in range(3):
        portrait.crop((number, 0, 280 + number, 330)).save(tmp_path / "faces" / f"{number}.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "faces" / "nobody.png")
    few = ("--train", "3", "--epochs", "2", "--seeds", "1", "--json")
    done = subprocess.run(
        [sys.executable, REPOSITORY / "examples" / "on_the_fly.py", *["faces"] * 3, *few],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["learnt"], figures["real"], figures["real_not_found"], figures["bare"]) == (3, 3, 1, 3)
    assert set(figures["ways"]) == {"one template", "one copy", "on the fly"}
    for row in figures["ways"].values():
        assert row["balanced"] == pytest.approx((row["real_masks"] + row["bare_faces"]) / 2)
        assert row["range"] == 0
