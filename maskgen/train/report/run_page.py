"""The page of a training run: ``report.html``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maskgen.train.card import calibration_notes, crop_text, result_table, weights_text
from maskgen.train.judge import Judged
from maskgen.train.options import TrainOptions
from maskgen.train.report.page import Part, worst_errors, write_page
from maskgen.train.report.tables import Table, result_sections, what_intervals_are
from maskgen.train.spec import ModelSpec

REPORT = "report.html"


def write_report(
    run: Path,
    options: TrainOptions,
    spec: ModelSpec,
    metrics: Mapping[str, Any],
    reported: Judged,
    images: bool = True,
) -> None:
    """Write the page; the worst errors of the `reported` set are in it, unless `images` is false."""
    about: Sequence[tuple[str, str]] = (
        ("data", ", ".join(Path(folder).resolve().name for folder in options.data)),
        ("images", options.wanted.which),
        ("classes", ", ".join(spec.classes[:50])),
        ("backbone", f"{spec.backbone}, {weights_text(options)}"),
        ("input", f"{crop_text(spec)}, {spec.size} x {spec.size} pixels"),
        ("epochs", str(metrics["epochs"])),
        ("maskgen", spec.version),
    )
    results = [metrics[name] for name in ("validation", "test") if name in metrics]
    plots = [run / "curves.png", run / "roc.png", run / "reliability.png"]
    parts = [
        Part(
            "Model",
            [result_table(metrics), Table(("about", "the model"), about, left=2)],
            plots,
            notes=[what_intervals_are(results), *calibration_notes(spec, metrics)],
        ),
        Part(
            f"On {reported.of}",
            list(result_sections(metrics[reported.of])),
            [run / "confusion.png"],
            worst_errors(reported) if images else None,
        ),
    ]
    write_page(run / REPORT, run.resolve().name, parts)
