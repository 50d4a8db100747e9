"""Plain trees and sets of links, as users keep them."""

import pytest
from train_data import jpeg, row, write, write_masked

from maskgen.errors import AnnotationError
from maskgen.files.safe_paths import following_links
from maskgen.train.data.examples import Wanted
from maskgen.train.data.gather import gather


def gathered(folder, **wanted):
    return gather([folder], Wanted(**wanted), progress=False)


def test_a_plain_tree_has_every_image_and_none_of_the_systems(tmp_path):
    names = ("train/f/1.jfif", "train/m/2.JPE", "train/m/@eaDir/2.jpg", "train/.ipynb_checkpoints/3.jpg")
    for name in (*names, "train/m/._2.jpg", "lost+found/4.jpg"):
        write(tmp_path / "tree" / name, jpeg(1))
    write(tmp_path / "elsewhere" / "5.jpg", jpeg(2))
    write(tmp_path / "tree" / "train/f/6.heic", b"\0\0\0\x1cftypheic\0\0\0\0mif1heic")
    (tmp_path / "tree" / "train/g").symlink_to(tmp_path / "elsewhere")
    found = gathered(tmp_path / "tree", crop="full")
    labels = {each.id.partition("/")[2]: each.label for each in found.examples}
    assert labels == {"train/f/1.jfif": "f", "train/g/5.jpg": "g", "train/m/2.JPE": "m"}
    assert [(each.reason, each.id) for each in found.dropped] == [("unreadable", "tree/train/f/6.heic")]


def test_a_masked_set_of_links_is_read_where_that_is_allowed(tmp_path):
    folder = write_masked(tmp_path / "masked", [row("a.jpg", "male")])
    (folder / "a.jpg").rename(tmp_path / "blob")
    (folder / "a.jpg").symlink_to(tmp_path / "blob")
    with pytest.raises(AnnotationError, match="--follow-links"):
        gathered(folder)
    with following_links():
        assert len(gathered(folder).examples) == 1
