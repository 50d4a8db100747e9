"""The HTML pages: all figures, no script, nothing loaded, hostile names, faces only where they are wanted."""

import base64
import html.parser
import re

import cv2
import numpy as np
import pytest
from train_data import needs_train, row, write_masked

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
    spec = ModelSpec(classes, 32, "full", 0.25, None, "tiny-cnn")
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
