"""Where images go, under which names, and that they appear whole or not at all."""

import os
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from maskgen.errors import UsageError
from maskgen.files.atomic import open_atomic, write_atomic
from maskgen.files.path_text import from_text, to_text
from maskgen.images.codec import EncodedImage
from maskgen.options import SynthOptions
from maskgen.records import Sample
from maskgen.results.layout import Layout, Places
from maskgen.results.output_files import check_apart, write_outputs

SAME_JPEG = EncodedImage(b"", ".jpg", same_format=True)
SAME_PNG = EncodedImage(b"", ".png", same_format=True)
NEW_PNG = EncodedImage(b"", ".png", same_format=False)


def sample(relative: str, split: str | None = None) -> Sample:
    return Sample(id=to_text(relative), path=Path(relative), relative=relative, split=split)


def image(layout: Layout, relative: str, encoded: EncodedImage, label=None, variant=0, split=None) -> str:
    return layout.place(sample(relative, split), label, variant, encoded).image


@pytest.mark.parametrize(
    ("relative", "encoded", "expected"),
    [
        ("img/000001.jpg", SAME_JPEG, "img/000001.jpg"),
        ("A B/x.y.JPEG", SAME_JPEG, "A B/x.y.JPEG"),
        ("wrongly_named.png", SAME_JPEG, "wrongly_named.png"),
        ("no_suffix", SAME_JPEG, "no_suffix"),
        ("a.gif", NEW_PNG, "a.gif.png"),
        ("a.jpg", NEW_PNG, "a.jpg.png"),
        ("a.jpg.png", SAME_PNG, "a.jpg.png"),
        ("a.gif.png", SAME_PNG, "a.gif.png.png"),
        ("Jos\udce9/1.jpg", SAME_JPEG, "Jos%E9/1.jpg"),
        ("100%E9/1.jpg", SAME_JPEG, "100%25E9/1.jpg"),
        ("100%/1.jpg", SAME_JPEG, "100%/1.jpg"),
        ("preview.jpg", SAME_JPEG, "_preview.jpg"),
        ("_preview.jpg", SAME_JPEG, "__preview.jpg"),
        ("below/preview.jpg", SAME_JPEG, "below/preview.jpg"),
        ("unmasked/1.jpg", SAME_JPEG, "unmasked/1.jpg"),
    ],
)
def test_mirror_repeats_the_sources_tree(relative, encoded, expected):
    assert image(Layout(), relative, encoded) == expected


def test_mirror_with_all_the_trimmings():
    layout = Layout(variants=2, pairs=True, alpha=True)
    assert layout.place(sample("p/1.png"), "male", 1, SAME_PNG) == Places(
        image="variant-1/p/1.png",
        unmasked="unmasked/variant-1/p/1.png",
        alpha="alpha/variant-1/p/1.png.png",
    )


def test_mirror_moves_folders_that_it_needs_itself():
    layout = Layout(pairs=True, alpha=True)
    assert layout.place(sample("unmasked/1.jpg"), None, 0, SAME_JPEG).image == "_unmasked/1.jpg"
    assert layout.place(sample("1.jpg"), None, 0, SAME_JPEG).unmasked == "unmasked/1.jpg"


@pytest.mark.parametrize(
    ("relative", "encoded", "label", "split", "expected"),
    [
        ("1.jpg", SAME_JPEG, "male", "train", "train/male/1.jpg"),
        ("1.jpg", SAME_JPEG, None, None, "all/unlabelled/1.jpg"),
        ("a/b/1.JPG", SAME_JPEG, "female", "test", "test/female/a__b__1.JPG"),
        ("1.jpg", SAME_JPEG, "(25, 32)", None, "all/(25, 32)/1.jpg"),
        ("Łódź.jpg", SAME_JPEG, "女", None, "all/女/Łódź.jpg"),
        ("1.png", SAME_JPEG, "male", None, "all/male/1.png.jpg"),
        ("1.jpg", NEW_PNG, "male", None, "all/male/1.jpg.png"),
    ],
)
def test_folders_go_by_split_and_label(relative, encoded, label, split, expected):
    assert image(Layout("folders"), relative, encoded, label, split=split) == expected


@pytest.mark.parametrize(
    ("relative", "label", "folder", "beginning"),
    [
        ("a__b.jpg", "male", "male", "a__b~"),
        ("a_/b.jpg", "male", "male", "a___b~"),
        ("a:b?.jpg", "male", "male", "a_b_~"),
        (".hidden.jpg", "male", "male", "_hidden~"),
        ("Jos\udce9.jpg", "male", "male", "Jos_E9~"),
        ("a\nb.jpg", "male", "male", "a_b~"),
        ("no_suffix", "male", "male", "no_suffix~"),
        ("1.jpg", "a/b", "a_b~", "1.jpg"),
        ("1.jpg", "..", "_.~|__~", "1.jpg"),
        ("1.jpg", "", "~", "1.jpg"),
        ("1.jpg", "unlabelled", "unlabelled~", "1.jpg"),
    ],
)
def test_folders_mark_names_that_had_to_change_with_a_hash(relative, label, folder, beginning):
    split, written_folder, name = image(Layout("folders"), relative, SAME_JPEG, label).split("/")
    assert split == "all"
    assert written_folder.startswith(tuple(folder.split("|")))
    assert name.startswith(beginning)
    assert name.endswith(".jpg")


def test_folders_name_the_variant():
    layout = Layout("folders", variants=2)
    assert image(layout, "a.jpg", SAME_JPEG, "male", 1) == "all/male/a-v1.jpg"


@pytest.mark.parametrize("layout", [Layout(alpha=True), Layout("folders", variants=2, alpha=True)])
@pytest.mark.parametrize("stem", ["x" * 251, "陳" * 83])
def test_names_fit_file_systems(layout, stem, tmp_path):
    places = {layout.place(sample(f"{stem[:-1]}{end}.jpg"), None, 1, NEW_PNG) for end in "ab"}
    assert len(places) == 2
    for place in places:
        write_outputs(tmp_path, None, place, b"image", alpha=b"alpha")
    if layout.name == "mirror":
        assert image(layout, f"{stem}.jpg", SAME_JPEG) == f"{stem}.jpg"
    else:
        assert all(place.image.endswith("-v1.png") for place in places)


parts = st.sampled_from(
    [
        *("a", "a_", "_a", "__", "a.jpg", "b.gif", "a.png", "preview.jpg", "alpha", "unmasked", "_alpha"),
        *("a.jpg.png", "a.gif.png", "a.png.png", "%E9", "\udce9", "x:y", "x_y", "metadata.jsonl"),
    ]
)
paths = st.lists(parts, min_size=1, max_size=3).map("/".join)
kinds = st.sampled_from(["jpeg", "png", "gif"])


@settings(max_examples=500)
@given(
    one=paths,
    other=paths,
    formats=st.tuples(kinds, kinds),
    name=st.sampled_from(["mirror", "folders"]),
    variants=st.sampled_from([1, 2]),
    target=st.sampled_from([None, "png", "jpeg"]),
)
def test_two_samples_never_share_a_file(one, other, formats, name, variants, target):
    assume(one != other and not one.startswith(f"{other}/") and not other.startswith(f"{one}/"))
    # A GIF that is called something else is beyond what the names alone can tell.
    assume(
        all(
            (kind == "gif") == path.endswith(".gif") for path, kind in zip((one, other), formats, strict=True)
        )
    )
    layout = Layout(name, variants, pairs=True, alpha=True, converts=target is not None)
    seen: set[str] = set()
    for path, kind in zip((one, other), formats, strict=True):
        written = target or {"gif": "png"}.get(kind, kind)
        encoded = EncodedImage(b"", {"png": ".png", "jpeg": ".jpg"}[written], same_format=written == kind)
        for variant in range(variants):
            places = layout.place(sample(path), "male", variant, encoded)
            files = {places.image, places.unmasked, places.alpha}
            assert len(files) == 3
            assert not files & seen
            seen |= files


@given(st.binary(max_size=20).filter(lambda name: b"\0" not in name))
def test_names_become_text_and_names_again(name):
    text = to_text(os.fsdecode(name))
    text.encode()
    assert os.fsencode(from_text(text)) == name


@settings(max_examples=200)
@given(st.lists(st.sampled_from([b"%", b"2", b"5", b"%25", b"E", b"9", b"%E9", b"\xe9"]), max_size=8))
def test_names_that_look_escaped_come_back_too(pieces):
    name = b"".join(pieces)
    assert os.fsencode(from_text(to_text(os.fsdecode(name)))) == name


@pytest.mark.parametrize("relative", ["../a.jpg", "a/../../b.jpg", "/etc/a.jpg"])
def test_nothing_is_placed_outside(relative):
    with pytest.raises(UsageError, match="leads out of the output folder"):
        image(Layout(), relative, SAME_JPEG)


def test_an_unknown_layout():
    with pytest.raises(UsageError, match="layout must be one of mirror, folders, webdataset, got 'flat'"):
        SynthOptions("", layout="flat")


def test_outputs_are_written(tmp_path):
    scratch = tmp_path / ".maskgen" / "tmp"
    scratch.mkdir(parents=True)
    places = Layout(pairs=True, alpha=True).place(sample("d\udce9/\udce9.jpg"), None, 0, SAME_JPEG)
    write_outputs(tmp_path, scratch, places, b"masked", b"plain", b"alpha")
    folder = os.fsencode(tmp_path)
    assert Path(os.fsdecode(folder + b"/d\xe9/\xe9.jpg")).read_bytes() == b"masked"
    assert (tmp_path / from_text(places.unmasked)).read_bytes() == b"plain"
    assert (tmp_path / from_text(places.alpha)).read_bytes() == b"alpha"
    assert list(scratch.iterdir()) == []


def test_what_has_no_place_is_not_written(tmp_path):
    write_outputs(tmp_path, None, Places("a.jpg"), b"masked", b"plain", b"alpha")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file"
    write_atomic(path, b"old")
    with pytest.raises(RuntimeError), open_atomic(path) as file:
        file.write(b"half")
        file.flush()
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_files_have_the_permissions_others_expect(tmp_path):
    write_atomic(tmp_path / "atomic", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("root", "out", "message"),
    [
        ("data", "data", "is the source itself"),
        ("data", "data/masked", "lies in the source"),
        ("data", "data/a/../b/masked", "lies in the source"),
        ("data/lfw", "data", "lies in the output folder"),
        ("link", "data/masked", "lies in the source"),
        ("data", "link/masked", "lies in the source"),
        ("data/lfw", "link", "lies in the output folder"),
    ],
)
def test_output_and_source_must_be_apart(tmp_path, root, out, message):
    (tmp_path / "data" / "lfw").mkdir(parents=True)
    (tmp_path / "link").symlink_to("data")
    with pytest.raises(UsageError, match=message):
        check_apart(tmp_path / root, tmp_path / out)


@pytest.mark.parametrize(
    ("root", "out"), [("data", "masked"), ("data", "data2"), ("a/data", "a/masked/data")]
)
def test_folders_side_by_side_are_apart(tmp_path, root, out):
    (tmp_path / root).mkdir(parents=True)
    check_apart(tmp_path / root, tmp_path / out)
