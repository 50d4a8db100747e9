"""The HTML pages: all figures, no script, nothing loaded, hostile names, faces only where they are wanted."""

import base64
import html.parser
import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tiny_onnx import SPEC, write_bright
from train_data import jpeg, needs_onnx, needs_train, row, write, write_masked

from maskgen.__main__ import main
from maskgen.train.data.examples import Wanted
from maskgen.train.evaluate import markdown, write_evaluation
from maskgen.train.judge import judge
from maskgen.train.judging.figures import figures
from maskgen.train.model.classifier import Classifier
from maskgen.train.report.page import MOST_ERRORS, worst_errors
from maskgen.train.report.tables import Section, Table
from maskgen.train.spec import ModelSpec

pytestmark = needs_train

HOSTILE = "<script>alert(1)</script>\"'|&$\\x$"


def bright(images):
    second = images.mean(axis=(1, 2, 3), dtype=np.float32) / 255
    return np.stack([1 - second, second], axis=1)


def judged_of(folder, classes=("female", "male"), model="bright", name="set", count=60):
    """Of every three of the second class, one is dark: the darker, the surer the error."""
    rows, colors = [], {}
    for n in range(count):
        own = f"{n}.jpg"
        wrong = n % 6 == 5
        colors[own] = (60 + n // 2,) * 3 if wrong else (200, 200, 200) if n % 2 else (50, 50, 50)
        attributes = {"race": HOSTILE if n % 4 < 2 else "b"}
        rows.append(
            row(own, classes[n % 2], unmasked_file=f"u{n}.jpg", identity=f"p{n // 2}", attributes=attributes)
        )
    data = write_masked(folder, rows, colors)
    spec = ModelSpec(classes, 32, "full", 0.25, None, None, "tiny-cnn")
    classifier = Classifier(model, folder / "m.keras", spec, bright)
    return judge([classifier], name, data, Wanted(which="both"), progress=False)[0]


class Strict(html.parser.HTMLParser):
    """Collects tags and texts, and checks that every element is closed in order."""

    VOID = ("meta", "img", "br")

    def __init__(self):
        super().__init__()
        self.stack, self.tags, self.images, self.texts = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        assert not any(name.startswith("on") for name in values)
        for name in ("src", "href"):
            assert values.get(name, "data:").startswith(("data:", "#")), values
        if tag == "img":
            self.images.append(values["src"])
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def parsed(path):
    parser = Strict()
    parser.feed(path.read_text())
    parser.close()
    assert not parser.stack
    return parser


def written(tmp_path, judged, **options):
    write_evaluation(tmp_path / "out", [figures(judged, ())], [judged], **options)
    return tmp_path / "out" / "evaluation.html"


def test_the_page_has_all_figures_and_loads_nothing(tmp_path):
    judged = judged_of(tmp_path / "m")
    found = figures(judged, ())
    page = parsed(written(tmp_path, judged))
    text = " ".join(page.texts)
    assert "script" not in page.tags and "link" not in page.tags
    for value in (found["accuracy"], found["balanced_accuracy"], found["largest_class_share"]):
        assert f"{value:.2%}" in text
    for name in ("McNemar", "Equalised-odds difference", "calibration error", "over persons"):
        assert name in text
    errors = int(np.sum(judged.probabilities.argmax(axis=1) != judged.labels))
    assert errors == 20
    # Accuracies, ROC, confusion, reliability; and the errors.
    assert len(page.images) == 4 + errors
    for source in page.images:
        kind, _, data = source.partition(";base64,")
        assert kind in ("data:image/png", "data:image/jpeg")
        assert cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 1) is not None


def test_the_surest_errors_come_first_as_the_model_saw_them(tmp_path):
    judged = judged_of(tmp_path / "m", count=240)
    found = worst_errors(judged)
    assert len(found) == MOST_ERRORS
    shares = [each.probability for each in found]
    assert shares == sorted(shares, reverse=True) and min(shares) > 0.5
    wrong = judged.probabilities.max(axis=1)[judged.probabilities.argmax(axis=1) != judged.labels]
    assert shares[0] == pytest.approx(wrong.max())
    assert {each.label for each in found} == {"male"}
    image = cv2.imdecode(np.frombuffer(found[0].jpeg, np.uint8), 1)
    assert image.shape == (32, 32, 3)
    assert image.mean() / 255 == pytest.approx(1 - shares[0], abs=0.02)


def test_without_images_no_face_is_in_the_page(tmp_path):
    page = parsed(written(tmp_path, judged_of(tmp_path / "m"), images=False))
    assert len(page.images) == 4
    assert not any(source.startswith("data:image/jpeg") for source in page.images)
    assert "Worst errors" not in page.texts


def test_a_lost_image_leaves_its_place_empty(tmp_path):
    judged = judged_of(tmp_path / "m")
    for each in judged.examples:
        each.path.unlink()
    assert {each.jpeg for each in worst_errors(judged)} == {None}
    assert len(parsed(written(tmp_path, judged)).images) == 4


def test_hostile_names_are_texts(tmp_path):
    judged = judged_of(tmp_path / "m", ("a" + HOSTILE, "b" + HOSTILE), HOSTILE, HOSTILE)
    page = parsed(written(tmp_path, judged))
    assert "script" not in page.tags
    text = " ".join(page.texts)
    assert text.count(HOSTILE) > 20 and "By race" in text
    told = markdown([figures(judged, ())])
    assert "<script" not in told
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in told.splitlines() if HOSTILE[10:15] in line}
    assert max(widths) == 14, "a bar in a name does not add a column"


def test_a_table_is_escaped_in_both_forms():
    table = Table(("a|b", "<n>"), [("x\ny", "&")])
    assert table.markdown() == "| a\\|b | &lt;n&gt; |\n| --- | --: |\n| x y | & |"
    assert '<th>a|b</th><th class="number">&lt;n&gt;</th>' in table.html()
    assert "&amp;" in table.html()
    assert Section("<t>", None, ["<n>"]).markdown() == "### &lt;t&gt;\n\n&lt;n&gt;"
    assert "<p>&lt;n&gt;</p>" in Section("<t>", None, ["<n>"]).html()


@needs_onnx
def test_the_command_writes_the_page_of_several_models_and_sets(tmp_path, capsys):
    """Models and sets in their order, and no face where the option says so."""
    for name, size in (("a", 32), ("b", 16)):
        write_bright(tmp_path / f"{name}.onnx", replace(SPEC, crop="full", size=size))
    for n in range(12):
        for folder in ("one", "two"):
            level = 60 + 10 * n + (100 if folder == "two" else 0)
            label = ("female", "male")[n % 2]
            write(tmp_path / folder / label / f"{n}.jpg", jpeg(n + level, (level,) * 3))
    models = [str(tmp_path / f"{name}.onnx") for name in "ab"]
    sets = [f"--on={name}={tmp_path / name}" for name in ("one", "two")]
    out = tmp_path / "out"
    assert main(["evaluate", *models, *sets, "--out", str(out), "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)
    titles = ["a on one", "a on two", "b on one", "b on two"]
    assert [f"{each['model']} on {each['set']}" for each in found] == titles
    assert {each["n"] for each in found} == {12}
    page = parsed(out / "evaluation.html")
    assert [title for title in titles if page.texts.count(title) == 2] == titles
    errors = sum(each["n"] - round(each["accuracy"] * each["n"]) for each in found)
    faces = sum(source.startswith("data:image/jpeg") for source in page.images)
    assert faces == errors > 10
    assert main(["evaluate", *models, *sets, "--out", str(out), "-q", "--no-images"]) == 0
    capsys.readouterr()
    assert "data:image/jpeg" not in (out / "evaluation.html").read_text()


def test_more_than_two_classes_have_a_page_too(tmp_path):
    judged = judged_of(tmp_path / "m")
    spec = replace(judged.spec, classes=("female", "male", "other"))
    three = np.pad(judged.probabilities, ((0, 0), (0, 1)))
    judged = replace(judged, spec=spec, probabilities=three)
    found = figures(judged, ())
    assert "roc_auc" not in found["intervals"] and found["roc_auc"] is None
    text = " ".join(parsed(written(tmp_path, judged)).texts)
    assert "Equalised-odds difference for" in text and "other" in text
