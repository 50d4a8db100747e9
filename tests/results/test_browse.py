"""`maskgen browse`: a page that shows the rows, filters them, and takes no name for HTML."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from small_runs import masked, write_dataset, write_images

from maskgen.cli import cli
from maskgen.errors import MissingDataError
from maskgen.results.browse.page import write_page

HOSTILE = (
    "<img src=x onerror=document.title='pwned'>.jpg",
    "a</script><script>document.title='pwned'<.jpg",
    "\"'><svg onload=document.title='pwned'>.jpg",
    "<!--<script>.jpg",
    "javascript:document.title='pwned'.jpg",
    "plain name #1?x=%41&amp;\u2028ü.jpg",
    "${title} $data.jpg",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Tags(HTMLParser):
    """The start tags of a page, and the text of its elements by id or tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._id = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._id = dict(attributes).get("id", tag)

    def handle_data(self, data):
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Ten inputs, eight of them masked, with two wears."""
    folder = tmp_path_factory.mktemp("browse")
    root = write_dataset(folder / "faces", count=10)
    masked(root, folder / "out", wears=(("correct", 1.0), ("chin", 1.0)), pairs=True)
    return folder / "out"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    write_images(folder / "faces", HOSTILE)
    masked(folder / "faces", folder / "out")
    return folder / "out"


def data_of(page):
    return json.loads(Tags(page.read_text("utf-8")).texts["data"])


def test_the_page_has_every_row_and_links_to_its_images(result):
    data = data_of(write_page(result))
    assert (data["total"], data["every"], len(data["rows"])) == (10, 1, 10)
    statuses = [row["status"] for row in data["rows"]]
    assert statuses.count("masked") == 8 and statuses.count("no_face") == 2
    for row in data["rows"]:
        for url in filter(None, (row["image"], row["unmasked"])):
            assert (result / unquote(url)).is_file()
        assert (row["image"] is None) == (row["status"] != "masked")


def test_the_page_is_part_of_the_result(result):
    write_page(result)
    done = CliRunner().invoke(cli, ["verify", str(result)])
    assert done.exit_code == 0, done.output


def test_names_stay_names(hostile):
    page = write_page(hostile)
    parsed = Tags(page.read_text("utf-8"))
    assert {row["id"] for row in data_of(page)["rows"]} == set(HOSTILE)
    scripts = [attributes for tag, attributes in parsed.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    assert not {"img", "svg"} & {tag for tag, _ in parsed.tags}
    raw = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)[1]
    assert not re.search("[<>&\u2028\u2029]", raw)
    for row in data_of(page)["rows"]:
        assert re.fullmatch(r"\./[\w.~%/-]+", row["image"], re.ASCII)
        assert (hostile / unquote(row["image"])).is_file()


def test_a_policy_allows_the_scripts_own_text_only(result):
    (policy,) = (
        attributes["content"]
        for tag, attributes in Tags(write_page(result).read_text("utf-8")).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy and re.search(r"script-src 'sha256-[\w+/=]+'$", policy)


def test_a_long_manifest_is_thinned_evenly(result):
    data = data_of(write_page(result, limit=4))
    assert (data["every"], len(data["rows"])) == (3, 4)


def test_images_can_be_embedded_and_those_in_tars_are(result, tmp_path):
    page = write_page(result, tmp_path / "page.html", embed=True)
    assert (
        sum((row["image"] or "").startswith("data:image/jpeg;base64,") for row in data_of(page)["rows"]) == 8
    )
    root = write_dataset(tmp_path / "faces", count=2)
    masked(root, tmp_path / "tars", layout="webdataset")
    rows = data_of(write_page(tmp_path / "tars"))["rows"]
    assert all(row["image"].startswith("data:image/jpeg;base64,") for row in rows)


def test_a_folder_without_a_result_is_said(tmp_path):
    with pytest.raises(MissingDataError, match=r"manifest\.jsonl is not there"):
        write_page(tmp_path)


def test_the_command_says_what_it_wrote_and_refuses_a_page_without_its_images(result, tmp_path):
    done = CliRunner().invoke(cli, ["browse", str(result)])
    assert done.exit_code == 0 and "browse.html" in done.output
    done = CliRunner().invoke(cli, ["browse", str(result), "-o", str(tmp_path / "x.html")])
    assert done.exit_code == 2 and "--embed" in done.output


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """(page, state) -> the document as a real browser has it then, and its attributes."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    profile = tmp_path_factory.mktemp("profile")

    def open_page(page, state=""):
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        url = page.as_uri() + (f"#{state}" if state else "")
        done = subprocess.run(
            [browser, *arguments, "--dump-dom", url], capture_output=True, text=True, check=True, timeout=120
        )
        parsed = Tags(done.stdout)
        return parsed, dict(parsed.tags)["html"]

    return open_page


@pytest.mark.parametrize(
    ("state", "count"),
    [("", 10), ("status=masked", 8), ("status=no_face", 2), ("label=female", 5), ("search=male%2F003", 1)],
)
def test_filters_leave_the_rows_that_match(result, opened, state, count):
    document, attributes = opened(write_page(result), state)
    assert attributes["data-chosen"] == str(count)
    assert sum(tag == "figure" for tag, _ in document.tags) == count


def test_a_filter_by_wear_and_one_by_template_hold_together(result, opened):
    page = write_page(result)
    rows = data_of(page)["rows"]
    chin = sum(face["wear"] == "chin" for row in rows for face in row["faces"])
    assert 0 < chin < 8
    assert opened(page, "wear=chin&template=plain")[1]["data-chosen"] == str(chin)
    assert opened(page, "wear=chin&status=no_face")[1]["data-chosen"] == "0"


def test_hostile_names_do_nothing_in_a_browser(hostile, opened):
    document, attributes = opened(write_page(hostile))
    assert attributes["data-chosen"] == str(len(HOSTILE))
    images = [found for tag, found in document.tags if tag == "img"]
    assert len(images) == len(HOSTILE) and {each["alt"] for each in images} == set(HOSTILE)
    handlers = [name for _, found in document.tags for name in found if name.startswith("on")]
    assert not handlers and sum(tag == "script" for tag, _ in document.tags) == 2
    assert not any(tag == "svg" for tag, _ in document.tags)
    assert document.texts["title"].strip() == "out"


def test_five_thousand_rows_open_within_two_seconds(result, opened, tmp_path):
    lines = Path(result, "manifest.jsonl").read_text("utf-8").splitlines()
    many = [line.replace('"id": "', f'"id": "{number}/', 1) for number in range(500) for line in lines]
    out = tmp_path / "many"
    shutil.copytree(result, out)
    (out / "manifest.jsonl").write_text("\n".join(many) + "\n", "utf-8")
    page = write_page(out)
    opens = [opened(page)[1] for _ in range(3)]
    assert {each["data-chosen"] for each in opens} == {"5000"}
    assert min(int(each["data-milliseconds"]) for each in opens) < 2000
    print("milliseconds:", [each["data-milliseconds"] for each in opens])
