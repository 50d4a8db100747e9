"""Tars that are damaged, cut short, or made to do harm: each ends in rows, and nothing is ever unpacked."""

import gzip
import os
import random
import tarfile

import pytest
from pictures import RGB, saved
from small_runs import face, template_file, write_template
from small_tars import masked_tars, special, write_tar

from maskgen.datasets import get_dataset
from maskgen.errors import UnreadableImageError, UsageError
from maskgen.files.tar import read_member
from maskgen.landmarks.landmark_file import write_landmark_file
from maskgen.results.manifest import read_manifest
from maskgen.results.reader import Members

PICTURE = saved(RGB, "JPEG")


def listed(root):
    return list(get_dataset("webdataset").samples(root))


def refusals(root):
    return {sample.id: sample.member.refusal for sample in listed(root)}


def test_members_that_lead_elsewhere_are_rows_and_nothing_else(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(PICTURE)
    nul = tarfile.TarInfo("nul.jpg")
    nul.pax_headers = {"path": "nul\0.jpg"}
    hostile = {
        "a.jpg": PICTURE,
        "/etc/b.jpg": PICTURE,
        "../c.jpg": PICTURE,
        "d/../../e.jpg": PICTURE,
        "nul.jpg": nul,
        "f.jpg": special("f.jpg", tarfile.SYMTYPE, str(tmp_path / "secret.jpg")),
        "g.jpg": special("g.jpg", tarfile.LNKTYPE, "a.jpg"),
        "h.jpg": special("h.jpg", tarfile.FIFOTYPE),
        "i.jpg": special("i.jpg", tarfile.CHRTYPE),
        "k.jpg": special("k.jpg", tarfile.DIRTYPE),
        "link.txt": special("link.txt", tarfile.SYMTYPE, "/etc/passwd"),
        "z.jpg": PICTURE,
    }
    write_tar(tmp_path / "tars" / "0.tar", hostile)
    root = tmp_path / "faces"
    ids = [sample.id for sample in listed(tmp_path / "tars")]
    write_landmark_file(root.with_name("faces_landmarks.jsonl"), [(name, (64, 48), []) for name in ids])
    write_template(template_file(root))
    before = set(tmp_path.rglob("*"))
    masked_tars(root, tmp_path / "tars", tmp_path / "out")
    rows = {row.id: (row.status, row.reason) for row in read_manifest(tmp_path / "out" / "manifest.jsonl")}
    assert {name: reason for name, (status, reason) in rows.items() if status != "unreadable"} == {
        "a.jpg": rows["a.jpg"][1],
        "z.jpg": rows["z.jpg"][1],
    }
    for name, reason in {
        # No published reason holds an absolute path, a tar's neither.
        "etc/b.jpg": "the tar: 'b.jpg' is an absolute path",
        "__/c.jpg": "the tar: '../c.jpg' has a '..'",
        "d/__/__/e.jpg": "the tar: 'd/../../e.jpg' has a '..'",
        "nul_.jpg": "it holds a NUL",
        "f.jpg": "which is not followed",
        "g.jpg": "a link to 'a.jpg', which is not followed",
        "h.jpg": "a pipe or device",
        "i.jpg": "a pipe or device",
    }.items():
        assert reason in rows[name][1]
    assert len(rows) == 10
    outside = {path for path in tmp_path.rglob("*") if tmp_path / "out" not in (path, *path.parents)}
    assert outside == before


@pytest.fixture
def whole(tmp_path):
    return write_tar(tmp_path / "0.tar", {f"{number}.jpg": PICTURE for number in range(4)}).read_bytes()


def cut(tmp_path, data):
    (tmp_path / "0.tar").write_bytes(data)
    return refusals(tmp_path)


def test_a_tar_that_was_cut_short_gives_what_is_there(tmp_path, whole):
    with tarfile.open(tmp_path / "0.tar") as tar:
        places = [(info.offset, info.offset_data) for info in tar]
        end_mark = tar.offset
    header, content = places[2]
    for end, complete, partly in (
        *((end_mark + 100, 4, 0), (end_mark, 4, 0), (content + 10, 2, 1), (header + 100, 2, 0)),
        *((header, 2, 0), (100, 0, 0), (0, 0, 0)),
    ):
        found = cut(tmp_path, whole[:end])
        names = [f"{number}.jpg" for number in range(complete + partly)]
        assert list(found) == [*names, "0.tar"]
        assert [found[name] for name in names[:complete]] == [None] * complete
        assert all("the tar is cut short" in found[name] for name in names[complete:])
        assert found["0.tar"].startswith("a damaged tar, or one that was cut short")


def test_what_is_no_tar_says_so(tmp_path, whole):
    assert "unpack it with `gunzip` first" in cut(tmp_path, gzip.compress(whole))["0.tar"]
    assert "cannot be read" in cut(tmp_path, b"<html>" * 1000)["0.tar"]
    (tmp_path / "0.tar").unlink()
    os.mkfifo(tmp_path / "0.tar")
    assert refusals(tmp_path)["0.tar"] == "a pipe, socket or device, not a tar"


def test_the_other_tars_are_read_all_the_same(tmp_path, whole):
    cut(tmp_path, whole[:700])
    write_tar(tmp_path / "1.tar", {"a.jpg": b""})
    assert [sample.id for sample in listed(tmp_path)] == ["0.jpg", "0.tar", "a.jpg"]


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\x80" + b"\x00" * 3 + b"\x7f" * 8, b"77777777777\0"])
@pytest.mark.parametrize("kind", [b"0", b"x", b"L", b"S"])
def test_a_size_that_is_a_lie(tmp_path, whole, size, kind):
    """Negative ones, and ones that would take all memory if they were believed."""
    header = bytearray(whole[:512])
    header[124:136], header[156:157] = size, kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    found = cut(tmp_path, bytes(header) + whole[512:])
    assert any(found.values())


def test_damage_of_any_kind_ends_in_samples(tmp_path, whole):
    draw = random.Random(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(len(damaged)) if draw.random() < 0.5 else 512 * draw.randrange(8)
            place = min(place + draw.choice((0, 100, 124, 148, 156, 345)), len(damaged))
            length = draw.randrange(12)
            damaged[place : place + length] = draw.choice([b"", b"\0", b"\xff" * length, b"7" * length, b"x"])
        (tmp_path / "0.tar").write_bytes(damaged)
        for sample in listed(tmp_path):
            try:
                read_member(sample)
            except UnreadableImageError as error:
                assert str(error)


def test_a_tar_that_changes_after_it_was_listed_is_not_read(tmp_path, whole):
    first, *_ = listed(tmp_path)
    assert read_member(first) == PICTURE
    (tmp_path / "0.tar").write_bytes(whole + bytes(10240))
    with pytest.raises(UnreadableImageError, match="has changed since it was listed"):
        read_member(first)


def test_a_path_leads_through_a_tar(tmp_path, whole):
    files = Members(tmp_path)
    assert files.read("0.tar/3.jpg") == PICTURE
    assert files.read("0.tar") == whole
    for name in ("4.jpg", "0.jpg/1.jpg"):
        with pytest.raises(UnreadableImageError, match="has no member"):
            files.read(f"0.tar/{name}")
    with pytest.raises(UnreadableImageError, match=r"1\.tar: No such file"):
        files.read("1.tar/0.jpg")


@pytest.mark.parametrize("pattern", ["*.tar", "{0,1}.tar", "0.tar", "."])
def test_an_output_may_not_hold_the_tars(tmp_path, pattern, whole):
    root = tmp_path / "faces"
    write_landmark_file(root.with_name("faces_landmarks.jsonl"), [("0.jpg", (64, 48), [face((64, 48))])])
    write_template(template_file(root))
    write_tar(tmp_path / "in" / "0.tar", {"0.jpg": PICTURE})
    write_tar(tmp_path / "in" / "1.tar", {})
    for out in (tmp_path / "in", tmp_path):
        with pytest.raises(UsageError, match=r"lies in the output folder|is the source itself"):
            masked_tars(root, tmp_path / "in" / pattern, out)
    beside = tmp_path / "in" / "masked"
    if pattern == ".":
        with pytest.raises(UsageError, match="lies in the source"):
            masked_tars(root, tmp_path / "in", beside)
    else:
        assert masked_tars(root, tmp_path / "in" / pattern, beside).samples == 1
