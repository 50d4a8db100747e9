"""What becomes an example, and what is dropped with a reason."""

from dataclasses import replace

import pytest
from PIL import Image
from train_data import FACE, example, jpeg, row, write, write_masked

from maskgen.errors import MissingDataError, UsageError
from maskgen.landmarks.face_boxes import as_mesh_box
from maskgen.train.data import gather as gather_module
from maskgen.train.data.examples import Wanted, reasons
from maskgen.train.data.gather import find_data, gather
from maskgen.train.data.model_input import region_of


def gathered(folder, **wanted):
    return gather([folder], Wanted(**wanted), progress=False)


def test_a_row_becomes_an_example_that_knows_its_person_its_source_and_its_hashes(tmp_path):
    known = {"attributes": {"race": "Black", "age": 30}, "identity": "7", "split": "train"}
    folder = write_masked(tmp_path / "masked", [row("a.jpg", "male", **known)])
    (found,) = gathered(folder).examples
    assert (found.label, found.split, found.masked, found.plain) == ("male", "train", True, True)
    assert found.identity.endswith(": 7") and found.source.endswith(": a.jpg")
    assert len(found.hashes) == 2
    assert found.attributes["race"] == "Black" and found.attributes["template"] == "plain"
    assert found.region == (0, 0, 48, 48)


def test_everything_that_takes_no_part_is_counted_with_its_reason(tmp_path):
    rows = [
        *(row("good.jpg"), row("cut.jpg"), row("gone.jpg"), row("nobody.jpg", label=None)),
        row("empty.jpg", status="no_face", file_name=None, faces=(), reason="no face found"),
    ]
    folder = write_masked(tmp_path / "masked", rows)
    (folder / "gone.jpg").unlink()
    (folder / "cut.jpg").write_bytes((folder / "good.jpg").read_bytes()[:-400])
    found = gathered(folder)
    assert [each.id for each in found.examples] == ["masked/good.jpg"]
    assert reasons(found.dropped) == {"unreadable": 2, "no label": 1, "no_face": 1}
    details = {each.id: each.detail for each in found.dropped}
    assert "truncated" in details["masked/cut.jpg"]
    assert "not there" in details["masked/gone.jpg"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [(None, "female"), ("race", "Asian"), ("wear", "correct"), ("identity", "9"), ("smiles", "true")],
)
def test_any_column_can_be_the_label(tmp_path, label, expected):
    attributes = {"race": "Asian", "smiles": True}
    folder = write_masked(tmp_path / "m", [row("a.jpg", identity="9", attributes=attributes)])
    assert [each.label for each in gathered(folder, label=label).examples] == [expected]


def test_a_label_that_no_row_has_is_an_error_that_lists_the_columns(tmp_path):
    known = {"attributes": {"race": "Asian", "note": None}, "split": "train"}
    folder = write_masked(tmp_path / "m", [row("a.jpg", unmasked_file="u/a.jpg", **known)])
    with pytest.raises(MissingDataError) as raised:
        gathered(folder, label="height")
    said, columns = str(raised.value).split("the columns are ")
    assert said.startswith(f"--label height: no masked image of {folder} has this column")
    assert columns.split(", ") == sorted(
        ("race", "label", "split", "template", "kind", "tone", "wear", "blend", "fit")
    )
    with pytest.raises(MissingDataError, match=r"the columns are label, race, split$"):
        gathered(folder, label="height", which="unmasked")
    bare = write_masked(tmp_path / "bare", [row("a.jpg", label=None, attributes={"race": "Asian"})])
    with pytest.raises(MissingDataError, match=r"has a label; name a column with --label: .*race"):
        gathered(bare)
    write(tmp_path / "tree" / "male" / "a.jpg", jpeg(1))
    with pytest.raises(UsageError, match="its labels are its folders"):
        gathered(tmp_path / "tree", label="height")


@pytest.mark.parametrize(("broken", "warned"), [(1, False), (2, True)])
def test_more_than_a_twentieth_of_missed_images_is_warned_about(tmp_path, caplog, broken, warned):
    folder = write_masked(tmp_path / "m", [row(f"{n}.jpg") for n in range(20)])
    for n in range(broken):
        (folder / f"{n}.jpg").write_bytes(b"no image")
    assert len(gathered(folder).dropped) == broken
    assert ("2 of 20 images (10 %) cannot be used: 2 unreadable" in caplog.text) is warned
    assert ("replace or delete these files, such as m/0.jpg (" in caplog.text) is warned


class Blind:
    """A landmarker that finds no mesh; its detector sees a face with this score, or none."""

    def __init__(self, score):
        self.score = score

    def find(self, image, *, boxes=(), sample_id=None, every_face=False):
        return []

    def detections(self, image):
        return [(self.score, (10.0, 10.0, 20.0, 20.0))] if self.score else []

    def close(self):
        pass


@pytest.mark.parametrize(("score", "expected"), [(0.9, True), (0.35, True), (0.25, False), (None, False)])
def test_a_tree_of_masked_faces_is_cropped_by_the_detector_where_there_is_no_mesh(
    tmp_path, monkeypatch, caplog, score, expected
):
    write(tmp_path / "tree" / "male" / "a.jpg", jpeg(1))
    monkeypatch.setattr(gather_module, "open_landmarker", lambda: Blind(score))
    if not expected:
        with pytest.raises(MissingDataError, match=r"a\.jpg: no face found"):
            gathered(tmp_path / "tree", crop="face")
        return
    (found,) = gathered(tmp_path / "tree", crop="face", margin=0.1).examples
    assert found.box == as_mesh_box((10.0, 10.0, 20.0, 20.0))
    assert found.region == region_of("face", (48, 48), found.box, 0.1)


def test_pairs_give_both_pictures_with_the_same_source(tmp_path):
    rows = [row("a.jpg", unmasked_file="unmasked/a.jpg"), row("b.jpg")]
    folder = write_masked(tmp_path / "m", rows)
    both = gathered(folder, which="both")
    assert [(each.id, each.masked) for each in both.examples] == [
        ("m/a.jpg", True),
        ("m/a.jpg unmasked", False),
        ("m/b.jpg", True),
    ]
    assert both.examples[0].source == both.examples[1].source
    assert reasons(both.dropped) == {"no unmasked image": 1}
    assert [each.id for each in gathered(folder, which="unmasked").examples] == ["m/a.jpg unmasked"]


def test_of_a_pair_that_was_never_made_both_pictures_are_missed(tmp_path):
    nobody = row("b.jpg", status="no_face", file_name=None, faces=())
    rows = [row("a.jpg", unmasked_file="unmasked/a.jpg"), nobody]
    folder = write_masked(tmp_path / "m", rows)
    dropped = gathered(folder, which="both").dropped
    assert [(each.id, each.reason, each.is_missed) for each in dropped] == [
        ("m/b.jpg", "no_face", True),
        ("m/b.jpg unmasked", "no_face", True),
    ]
    assert all(each.source.endswith(": b.jpg") for each in dropped)


def test_an_unmasked_face_is_not_given_what_its_masked_twin_wears(tmp_path):
    folder = write_masked(tmp_path / "m", [row("a.jpg", unmasked_file="unmasked/a.jpg")])
    found = gathered(folder, which="both", label="wear")
    assert [(each.id, each.label) for each in found.examples] == [("m/a.jpg", "correct")]
    assert [(each.reason, each.detail) for each in found.dropped] == [
        ("no label", "an unmasked face has no wear")
    ]


def test_where_persons_are_the_classes_they_may_be_on_both_sides(tmp_path):
    rows = [row(f"{n}.jpg", identity=f"p{n % 2}") for n in range(4)]
    found = gathered(write_masked(tmp_path / "m", rows), label="identity").examples
    assert [(each.label, each.identity) for each in found] == [("p0", None), ("p1", None)] * 2


def test_a_run_of_synth_that_is_not_done_is_no_plain_tree(tmp_path):
    folder = tmp_path / "masked"
    (folder / ".maskgen").mkdir(parents=True)
    write(folder / "unmasked" / "a.jpg", jpeg(1))
    with pytest.raises(MissingDataError, match=r"not done.*maskgen merge"):
        gathered(folder)


def test_a_plain_tree_does_not_say_what_is_masked(tmp_path, caplog):
    write(tmp_path / "tree" / "male" / "a.jpg", jpeg(1))
    assert len(gathered(tmp_path / "tree", which="unmasked").examples) == 1
    assert "nothing says which faces are masked" in caplog.text


def test_variants_share_one_unmasked_twin(tmp_path):
    rows = [row("a.jpg", variant=v, file_name=f"{v}/a.jpg", unmasked_file=f"u{v}/a.jpg") for v in (0, 1)]
    found = gathered(write_masked(tmp_path / "m", rows), which="both").examples
    assert [each.id for each in found] == ["m/a.jpg", "m/a.jpg unmasked", "m/a.jpg#1"]


def test_unmasked_pictures_that_were_not_written_are_asked_for_in_words(tmp_path):
    with pytest.raises(UsageError, match="--pairs"):
        gathered(write_masked(tmp_path / "m", [row("a.jpg")]), which="unmasked")


def test_a_plain_tree_is_read_by_its_folders_names(tmp_path):
    names = ("Training/male/1.jpg", "Training/female/deep/2.jpg", "Validation/male/3.JPG", "Training/4.jpg")
    for place, name in enumerate(names):
        write(tmp_path / "set" / "archive" / name, jpeg(place))
    found = gathered(tmp_path / "set")
    assert [(each.split, each.label) for each in found.examples] == [
        ("train", "female"),
        ("train", "male"),
        ("validation", "male"),
    ]
    assert reasons(found.dropped) == {"no label": 1}


def test_the_classes_of_a_tree_are_its_own_words_and_its_splits_have_many(tmp_path):
    names = ("dev/Man/1.jpg", "eval/Woman/2.jpg", "testing/Man/3.jpg", "train/Woman/4.jpg", "valid/Man/5.jpg")
    for place, name in enumerate(names):
        write(tmp_path / name, jpeg(place))
    assert [(each.split, each.label) for each in gathered(tmp_path).examples] == [
        ("validation", "Man"),
        ("validation", "Woman"),
        ("test", "Man"),
        ("train", "Woman"),
        ("validation", "Man"),
    ]


def test_a_tree_without_splits_has_its_classes_at_the_top(tmp_path):
    for place, name in enumerate(("cat/x/1.jpg", "dog/2.jpg", "dog/y/3.jpg")):
        write(tmp_path / name, jpeg(place))
    found = gathered(tmp_path).examples
    assert [(each.split, each.label) for each in found] == [(None, "cat"), (None, "dog"), (None, "dog")]


def test_turned_and_other_pictures_are_not_taken_for_plain_jpegs(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, picture in (("turned.jpg", Image.new("RGB", (40, 20))), ("b.png", Image.new("RGB", (40, 20)))):
        picture.save(tmp_path / f"{name}", exif=exif if name.startswith("turned") else None)
    (tmp_path / "a").mkdir()
    for name in ("turned.jpg", "b.png"):
        (tmp_path / name).rename(tmp_path / "a" / name)
    write(tmp_path / "b" / "plain.jpg", jpeg(1))
    found = {each.path.name: (each.plain, each.region[2:]) for each in gathered(tmp_path).examples}
    assert found == {
        "turned.jpg": (False, (20, 40)),
        "b.png": (False, (40, 20)),
        "plain.jpg": (True, (48, 48)),
    }


def test_a_crop_takes_its_box_from_the_manifest(tmp_path):
    folder = write_masked(tmp_path / "m", [row("a.jpg"), row("b.jpg", faces=())])
    (folder / "b.jpg").write_bytes(jpeg(0, spread=0))
    found = gathered(folder, crop="face", margin=0.1)
    assert [each.region for each in found.examples] == [region_of("face", (48, 48), FACE.box, 0.1)]
    assert reasons(found.dropped) == {"no face found": 1}


@pytest.mark.parametrize(
    ("crop", "box", "expected"),
    [
        ("full", None, (0, 0, 200, 100)),
        ("face", (90, 40, 20, 20), (85, 35, 30, 30)),
        ("face", (0, 0, 20, 20), (0, 0, 30, 30)),
        ("face", (180, 80, 30, 30), (155, 55, 45, 45)),
        ("face", (60, 10, 90, 90), (55, 0, 100, 100)),
        ("upper-face", (90, 40, 20, 20), (85, 35, 30, 15)),
    ],
)
def test_regions_are_square_and_stay_inside_the_picture(crop, box, expected):
    assert region_of(crop, (200, 100), box, 0.25) == expected


def test_without_data_the_one_dataset_under_masked_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingDataError, match="maskgen synth"):
        find_data(())
    write_masked(tmp_path / "masked" / "one", [row("a.jpg")])
    assert [path.as_posix() for path in find_data(())] == ["masked/one"]
    write_masked(tmp_path / "masked" / "two", [row("a.jpg")])
    with pytest.raises(UsageError, match="masked/one masked/two"):
        find_data(())


def test_two_data_of_one_name_are_refused(tmp_path):
    folders = [write_masked(tmp_path / part / "same", [row("a.jpg")]) for part in ("x", "y")]
    with pytest.raises(UsageError, match="same name"):
        gather(folders, Wanted(), progress=False)


def test_an_example_names_what_must_not_be_on_both_sides():
    one = replace(example("a"), identity="set: 3")
    assert dict(one.keys()) == {"person": "set: 3", "source image": "set: a", "duplicate": "#a"}
