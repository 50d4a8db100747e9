"""The site builds without a warning, and holds every command, page and public name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import maskgen
from maskgen.cli import COMMANDS

pytest.importorskip("mkdocs")
pytest.importorskip("material")
pytest.importorskip("mkdocstrings_handlers.python")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_in_the_menu(site):
    menu = (site / "index.html").read_text("utf-8")
    pages = {path.relative_to(REPOSITORY / "docs") for path in (REPOSITORY / "docs").rglob("*.md")}
    assert pages
    for page in pages:
        assert (site / page.with_suffix(".html")).is_file()
        assert f'href="{page.with_suffix(".html").as_posix()}"' in menu, page


def test_every_command_is_there_with_all_its_options(site):
    text = (site / "reference" / "commands.html").read_text("utf-8")
    for name in COMMANDS:
        assert f"Usage: maskgen {name}" in text
    assert "--image-timeout" in text and "Usage: maskgen templates check" in text


def test_every_public_name_is_there(site):
    text = (site / "reference" / "python.html").read_text("utf-8")
    for name in set(maskgen.__all__) - {"__version__"}:
        assert f'id="maskgen.{name}"' in text or f'id="maskgen.errors.{name}"' in text, name


def test_no_page_loads_anything_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        for start in ('src="http', 'rel="stylesheet" href="http', 'rel="preconnect"'):
            assert start not in text, page
