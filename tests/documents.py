"""The README and the pages of the site, and their code blocks."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
_BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>.*?) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)


def blocks(language, text=TEXT):
    """The code blocks of a language that are not marked as not to be run."""
    found = (match for match in _BLOCK.finditer(text) if not match["why"])
    return [match["code"] for match in found if match["language"] == language]


def unmarked_languages():
    """The languages of all blocks that are not marked as not to be run."""
    return {match["language"] for match in _BLOCK.finditer(TEXT) if not match["why"]}
