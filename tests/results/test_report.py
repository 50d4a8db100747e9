"""The dataset card and the contact sheet, from manifests written by hand."""

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.records import FaceRecord, ManifestRow
from maskgen.results.card import tally, write_card, write_report
from maskgen.results.contact_sheet import COLUMNS, THUMBNAIL, write_contact_sheet
from maskgen.results.manifest import evenly_spaced_rows, row_to_json

RECORD = {
    "command": "maskgen synth --dataset celeba --blend poisson",
    "options": {"dataset": "celeba", "label": "gender"},
    "versions": {"maskgen": "0.1.0", "opencv": "4.11.0"},
    "source": {
        "title": "CelebFaces Attributes",
        "homepage": "https://example.org/celeba",
        "licence": "Research only.",
        "forbids": "No passing on.",
        "citation": "Liu et al., 2015",
    },
}


def face(**changes):
    whole = FaceRecord(
        box=(40, 40, 80, 90),
        mask_box=(45, 85, 70, 50),
        pose={"yaw": 0.0, "pitch": 0.0, "roll": 0.0},
        landmarks={"chin": (80.0, 130.0)},
        detection="as-is",
        template="surgical-blue",
        template_sha256="0" * 64,
        kind="surgical",
        tone="light",
        color=None,
        pattern=None,
        fit="half-split",
        blend="poisson",
        wear="correct",
        wear_agrees=True,
        tries=1,
        occluded=0.0,
        coverage={"nose": 1.0, "mouth": 1.0, "chin": 1.0, "lower_face": 0.9},
    )
    return replace(whole, **changes)


def row(name, status="masked", *, label="female", reason=None, faces=None, **changes):
    masked = status == "masked"
    whole = ManifestRow(
        id=name,
        variant=0,
        status=status,
        reason=reason,
        file_name=name if masked else None,
        sha256="1" * 64 if masked else None,
        width=160 if masked else None,
        height=160 if masked else None,
        label=label,
        split="train",
        identity=None,
        attributes={},
        source={"dataset": "celeba", "path": name, "sha256": "2" * 64},
        faces=(face(),) if faces is None and masked else tuple(faces or ()),
        seed=0,
    )
    return replace(whole, **changes)


def write_result(out, rows, record=RECORD):
    out.mkdir(exist_ok=True)
    (out / "manifest.jsonl").write_text("".join(row_to_json(r).rstrip("\n") + "\n" for r in rows), "utf-8")
    (out / "maskgen.json").write_text(json.dumps(record), "utf-8")
    return out


def write_pictures(out, root, names):
    root.mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 60, (160, 160, 3), np.uint8)
    for name in names:
        Image.fromarray(noise).save(root / name, quality=95)
        masked = noise.copy()
        masked[85:135, 45:115] = (200, 220, 240)
        Image.fromarray(masked).save(out / name, quality=95)


def table(card, title):
    """The rows of the Markdown table after a title, as {first cell: other cells}."""
    lines = card.split(title, 1)[1].strip().split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {first.strip(): rest for first, *rest in cells if first != "---"}


ROWS = [
    row("1.jpg"),
    row("2.jpg", label="male", faces=[face(kind="n95", template="n95-white", wear="chin")]),
    row("3.jpg", label="male"),
    row("4.jpg", label="male", faces=[face(), face(wear="nose-out", wear_agrees=False)]),
    row("5.jpg", label=None, reason="in both gender lists"),
    row("6.jpg", "no_face", reason="no step found a face"),
    row("7.jpg", "unreadable", reason="truncated"),
]


def test_card_has_a_header_that_hugging_face_reads(tmp_path):
    text = write_card(write_result(tmp_path / "out", ROWS)).read_text("utf-8")
    assert text.startswith("---\n")
    header = dict(line.split(": ", 1) for line in text.split("---\n")[1].splitlines() if ": " in line)
    assert header["license"] == "other"
    assert json.loads(header["pretty_name"]) == "CelebFaces Attributes, masked by maskgen"
    assert json.loads(header["license_link"]) == "https://example.org/celeba"
    assert "- n<1K" in text and "- face-mask" in text


@pytest.mark.parametrize(
    "said",
    [
        "Research only.",
        "Liu et al., 2015",
        "synthetic edits of photographs of real people",
        "No passing on.",
        "holds for them too",
        "it does not know anyone's gender",
        "maskgen synth --dataset celeba --blend poisson",
        "opencv 4.11.0",
        "5 masked images of 7 inputs",
        "agrees with the wear on 5 of 6 faces",
        "- `5.jpg`: in both gender lists",
        "- `6.jpg`: no step found a face",
        "- `7.jpg`: truncated",
    ],
)
def test_card_says(tmp_path, said):
    assert said in write_card(write_result(tmp_path / "out", ROWS)).read_text("utf-8")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Inputs and variants by status:", {"masked": ["5"], "no_face": ["1"], "unreadable": ["1"]}),
        ("Masked images by label:", {"male": ["3"], "female": ["1"], "(none)": ["1"]}),
        ("Masked faces by kind:", {"surgical": ["5"], "n95": ["1"]}),
        ("Masked faces by wear:", {"correct": ["4"], "chin": ["1"], "nose-out": ["1"]}),
        (
            "Masked faces, kind by label:",
            {"n95": ["0 (0%)", "0 (0%)", "1 (25%)"], "surgical": ["1 (100%)", "1 (100%)", "3 (75%)"]},
        ),
    ],
)
def test_card_counts(tmp_path, title, expected):
    found = table(write_card(write_result(tmp_path / "out", ROWS)).read_text("utf-8"), title)
    assert {name: found.get(name) for name in expected} == expected


def test_card_is_the_same_each_time(tmp_path):
    out = write_result(tmp_path / "out", ROWS)
    assert write_card(out).read_bytes() == write_card(out).read_bytes()


def test_card_names_twenty_and_counts_the_rest(tmp_path):
    rows = [row(f"{number:02}.jpg", "no_face", reason="none") for number in range(50)]
    text = write_card(write_result(tmp_path / "out", rows)).read_text("utf-8")
    assert "- `19.jpg`" in text
    assert "- `20.jpg`" not in text
    assert "and 30 more" in text


def test_card_of_a_run_without_label_lists_nothing_as_unlabelled(tmp_path):
    record = {**RECORD, "options": {"dataset": "folder", "label": None}}
    text = write_card(write_result(tmp_path / "out", [row("1.jpg", label=None)], record)).read_text("utf-8")
    assert "Without label" not in text


def test_names_of_other_peoples_files_cannot_break_the_card(tmp_path):
    name = "a|b`c\n# d <img>.jpg"
    rows = [row(name, "unreadable", reason=name, label=name), row("ok.jpg", label=name)]
    text = write_card(write_result(tmp_path / "out", rows)).read_text("utf-8")
    assert "\n# d" not in text
    assert "<img>" not in text


@pytest.mark.parametrize("missing", ["manifest.jsonl", "maskgen.json"])
def test_a_folder_without_result_is_refused_by_name(tmp_path, missing):
    out = write_result(tmp_path / "out", ROWS)
    (out / missing).unlink()
    with pytest.raises(MissingDataError, match=missing):
        write_card(out)


def test_a_damaged_run_record_is_refused(tmp_path):
    out = write_result(tmp_path / "out", ROWS)
    (out / "maskgen.json").write_text("[")
    with pytest.raises(ConfigurationError, match=r"maskgen\.json"):
        write_card(out)


def test_inputs_without_label_are_counted_once_whatever_the_variants():
    rows = [row("1.jpg", label=None), row("1.jpg", label=None, variant=1)]
    assert tally(rows).unlabelled_count == 1


@pytest.mark.parametrize(("count", "rows"), [(5, 3), (5, 5), (5, 11), (24, 1000), (1, 9)])
def test_the_sheet_takes_masked_rows_from_the_whole_manifest(tmp_path, count, rows):
    missed = row("of no face", status="no_face", attributes={"status": "masked"})
    given = [each for number in range(rows) for each in (row(str(number)), missed)]
    path = tmp_path / "manifest.jsonl"
    path.write_text("".join(row_to_json(each) + "\n" for each in given))
    chosen = [int(each.id) for each in evenly_spaced_rows(path, count)]
    assert len(chosen) == min(count, rows)
    assert chosen == sorted(set(chosen))
    if rows > count > 1:
        steps = np.diff([*chosen, rows])
        assert chosen[0] == 0
        assert steps.max() <= 2 * rows / count + 1


def test_contact_sheet_shows_source_masked_and_difference(tmp_path):
    out = write_result(tmp_path / "out", [row("1.jpg")])
    write_pictures(out, tmp_path / "root", ["1.jpg"])
    path = write_contact_sheet(out, tmp_path / "root")
    sheet = np.asarray(Image.open(path).convert("L"), np.float64)
    # The middle of each image lies in the mask: dark in the source, light when masked, white in the alpha.
    tops = [sheet[8 + 95, 8 + place * (THUMBNAIL + 1) + THUMBNAIL // 2] for place in range(3)]
    assert tops[0] < 80 < 180 < tops[1]
    assert tops[2] > 240


def test_contact_sheet_shows_the_alpha_file_where_there_is_one(tmp_path):
    out = write_result(tmp_path / "out", [row("1.jpg", faces=[face(alpha_file="alpha.png")])])
    write_pictures(out, tmp_path / "root", ["1.jpg"])
    Image.new("L", (160, 160), 77).save(out / "alpha.png")
    sheet = np.asarray(Image.open(write_contact_sheet(out, tmp_path / "root")).convert("L"), np.float64)
    assert sheet[8 + 80, 8 + 2 * (THUMBNAIL + 1) + 80] == pytest.approx(77, abs=4)


def test_contact_sheet_goes_without_sources_that_are_gone_and_is_the_same_each_time(tmp_path):
    names = [f"{number}.jpg" for number in range(30)]
    out = write_result(tmp_path / "out", [row(name) for name in names])
    write_pictures(out, tmp_path / "root", names)
    (tmp_path / "root" / "0.jpg").unlink()
    (out / "29.jpg").unlink()
    first = write_contact_sheet(out, tmp_path / "root", samples=7).read_bytes()
    assert write_contact_sheet(out, tmp_path / "root", samples=7).read_bytes() == first
    width, height = Image.open(BytesIO(first)).size
    assert width < COLUMNS * 3 * (THUMBNAIL + 8)
    assert height < 3 * (THUMBNAIL + 60)


def test_report_of_a_run_that_masked_nothing_has_a_card_and_no_picture(tmp_path):
    out = write_result(tmp_path / "out", [row("1.jpg", "no_face", reason="none")])
    (out / "preview.jpg").write_bytes(b"from before")
    write_report(out, None)
    assert not (out / "preview.jpg").exists()
    assert "preview.jpg" not in (out / "README.md").read_text("utf-8")
