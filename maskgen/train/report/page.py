"""A report as one HTML page: tables, plots, and the worst errors as the model saw them.

The page is self-contained: it has no script, loads nothing, and every text in it is escaped.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image as PillowImage

from maskgen.errors import UnreadableImageError
from maskgen.files.atomic import write_atomic
from maskgen.train.data.model_input import shown_example
from maskgen.train.judge import Judged
from maskgen.train.metrics import decide
from maskgen.train.report.tables import Section, Table, percent

_TEMPLATE = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8"))
MOST_ERRORS = 24
LARGEST_CROP = 224  # side of a crop in the page, in pixels


@dataclass(frozen=True)
class Error:
    """A wrong prediction."""

    id: str
    label: str  # its true class
    predicted: str
    probability: float  # of the predicted class
    jpeg: bytes | None  # the crop that the model saw; None if it can no longer be read


@dataclass(frozen=True)
class Part:
    """A part of a page with its own heading."""

    title: str
    sections: Sequence[Section | Table]
    plots: Sequence[Path] = ()  # PNG files
    errors: Sequence[Error] | None = None  # None if the page is to have no images of faces
    notes: Sequence[str] = ()


def worst_errors(judged: Judged) -> list[Error]:
    """The wrong predictions with the highest probabilities, at most `MOST_ERRORS`, the surest first."""
    predicted, surest = decide(judged.probabilities), judged.probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != judged.labels)
    chosen = wrong[np.argsort(-surest[wrong], kind="stable")][:MOST_ERRORS]
    classes = judged.spec.classes
    return [
        Error(
            *(judged.examples[place].id, judged.examples[place].label, classes[predicted[place]]),
            *(float(surest[place]), _crop(judged, place)),
        )
        for place in chosen.tolist()
    ]


def _crop(judged: Judged, place: int) -> bytes | None:
    try:
        image = PillowImage.fromarray(shown_example(judged.examples[place], judged.spec.size))
    except (OSError, UnreadableImageError):
        return None
    image.thumbnail((LARGEST_CROP, LARGEST_CROP))
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def write_page(path: Path, title: str, parts: Sequence[Part]) -> None:
    """Write the page."""
    links = "".join(
        f'<a href="#part{number}">{escape(part.title)}</a>' for number, part in enumerate(parts, start=1)
    )
    bodies = [_part_html(number, part) for number, part in enumerate(parts, start=1)]
    body = "\n".join([f"<nav>{links}</nav>", *bodies])
    text = _TEMPLATE.substitute(title=escape(title), body=body)
    # Names of files need not be valid Unicode.
    write_atomic(path, text.encode("utf-8", "replace"))


def _part_html(number: int, part: Part) -> str:
    lines = [f'<h2 id="part{number}">{escape(part.title)}</h2>']
    lines += [f"<p>{escape(note)}</p>" for note in part.notes]
    plots = "".join(
        f'<img alt="{escape(path.stem)}" src="{_data_url("image/png", path.read_bytes())}">'
        for path in part.plots
    )
    lines += [f'<div class="scroll">{section.html()}</div>' for section in part.sections[:1]]
    lines += [f'<div class="plots">{plots}</div>'] if plots else []
    lines += [f'<div class="scroll">{section.html()}</div>' for section in part.sections[1:]]
    if part.errors is not None:
        lines.append("<h3>Worst errors</h3>")
        figures = "".join(map(_error_html, part.errors))
        lines.append(f'<div class="errors">{figures}</div>' if figures else "<p>There is no error.</p>")
    return "\n".join(lines)


def _error_html(error: Error) -> str:
    image = '<span class="none"></span>'
    if error.jpeg is not None:
        image = f'<img alt="{escape(error.id)}" src="{_data_url("image/jpeg", error.jpeg)}">'
    return (
        f"<figure>{image}<figcaption><b>{escape(error.predicted)} {percent(error.probability)}</b><br>"
        f"true: {escape(error.label)}<br>{escape(error.id)}</figcaption></figure>\n"
    )


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
