"""Tables of figures, written as Markdown and as HTML, and the form of the numbers in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_MARKDOWN = str.maketrans({"|": "\\|", "<": "&lt;", ">": "&gt;", "\n": " ", "\r": " "})


def in_markdown(text: str) -> str:
    """A text in which no name begins a tag or ends a cell of a table."""
    return text.translate(_MARKDOWN)


@dataclass(frozen=True)
class Table:
    """Rows of texts; the first `left` columns are aligned left, the others right."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1

    def markdown(self) -> str:
        """The table as Markdown."""
        rule = ["---"] * self.left + ["--:"] * (len(self.head) - self.left)
        rows = [[in_markdown(cell) for cell in row] for row in (self.head, *self.rows)]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], rule, *rows[1:]))

    def html(self) -> str:
        """The table as HTML; the texts are escaped."""

        def line(cells: Sequence[str], tag: str) -> str:
            kinds = ("" if place < self.left else ' class="number"' for place in range(len(cells)))
            texts = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True))
            return f"<tr>{''.join(texts)}</tr>"

        body = "\n".join(line(row, "td") for row in self.rows)
        return f"<table>\n<thead>{line(self.head, 'th')}</thead>\n<tbody>{body}</tbody>\n</table>"


@dataclass(frozen=True)
class Section:
    """A part of a report: a table, if there is one, and notes below it."""

    title: str
    table: Table | None = None
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """The section as Markdown."""
        notes = [in_markdown(note) for note in self.notes]
        title = f"### {in_markdown(self.title)}"
        return "\n\n".join([title, *([self.table.markdown()] if self.table else []), *notes])

    def html(self) -> str:
        """The section as HTML."""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<h3>{escape(self.title)}</h3>\n{self.table.html() if self.table else ''}\n{notes}"


def class_table(classes: Mapping[str, Mapping[str, Any]]) -> Table:
    """Precision, recall and F1 of each class."""
    rows = [
        (name, f"{own['n']:,}", *(decimals(own[rate]) for rate in ("precision", "recall", "f1")))
        for name, own in classes.items()
    ]
    return Table(("class", "n", "precision", "recall", "F1"), rows)


def result_sections(result: Mapping[str, Any]) -> Iterator[Section]:
    """The sections of one result of `maskgen.train.judging.figures.figures`."""
    yield Section("By class", class_table(dict(list(result["classes"].items())[:50])))
    yield _calibration(result)
    if "paired" in result:
        yield _paired(result["paired"])
    for column, groups in result["by_group"].items():
        lines = [
            (value, f"{own['n']:,}", percent(own["accuracy"]), interval(own["interval"]))
            for value, own in groups["groups"].items()
        ]
        notes = [f"Difference of best and worst: {percent(groups['difference'])}."]
        table = Table((column, "n", "accuracy", "interval"), lines)
        yield Section(f"By {column}", table, [*notes, *_odds(groups["equalised_odds"])])


def _calibration(result: Mapping[str, Any]) -> Section:
    rows = [
        (percent(each["confidence"]), percent(each["accuracy"]), f"{each['n']:,}")
        for each in result["reliability"]
    ]
    note = (
        f"Expected calibration error (15 bins): {decimals(result['ece'])}, "
        f"95 % interval {numbers(result['intervals']['ece'])}."
    )
    return Section("Calibration", Table(("mean confidence", "accuracy", "n"), rows, left=0), [note])


def _paired(paired: Mapping[str, Any]) -> Section:
    names = ("both_right", "only_masked_right", "only_unmasked_right", "both_wrong", "changed")
    rows = [
        (name.replace("_", " "), f"{paired[name]:,}", percent(paired[name] / paired["n"])) for name in names
    ]
    note = (
        f"{paired['n']:,} pairs: accuracy masked minus unmasked {percent(paired['difference'], sign=True)} "
        f"({interval(paired['interval'])}). McNemar's test: mid-p {paired['mid_p']:.3g}, "
        f"exact p {paired['exact_p']:.3g}."
    )
    return Section("Masked against unmasked, in pairs", Table(("", "pairs", "share"), rows), [note])


def _odds(odds: Mapping[str, Any] | None) -> Iterator[str]:
    if odds is None:
        return
    parts = []
    for rate in ("true_positive_rate", "false_positive_rate"):
        if own := odds[rate]:
            highest, lowest = (own["rates"][own[side]] for side in ("highest", "lowest"))
            parts.append(
                f"{rate.replace('_', ' ')} {percent(own['difference'])} ({interval(own['interval'])}; "
                f"{own['highest']} {percent(highest)}, {own['lowest']} {percent(lowest)})"
            )
    yield (
        f"Equalised-odds difference for {odds['class']}, over groups with at least {odds['least_images']} "
        f"images for a rate: {percent(odds['difference'])}: {'; '.join(parts)}."
    )


def what_intervals_are(results: Sequence[Mapping[str, Any]]) -> str:
    """One sentence on the intervals of results."""
    kinds = " or ".join(sorted({f"{each['intervals']['unit']}s" for each in results}))
    draws = results[0]["intervals"]["draws"] if results else 0
    return f"Intervals are 95 %, by the bootstrap over {kinds} ({draws:,} draws)."


def decimals(value: float | None) -> str:
    """A rate with four decimals."""
    return "-" if value is None else f"{value:.4f}"


def percent(share: float | None, *, sign: bool = False) -> str:
    """A share in percent."""
    return "-" if share is None else f"{share:+.2%}" if sign else f"{share:.2%}"


def interval(shares: Sequence[float] | None) -> str:
    """An interval of shares in percent."""
    return "-" if shares is None else f"{shares[0]:.2%} to {shares[1]:.2%}"


def numbers(values: Sequence[float] | None) -> str:
    """An interval of numbers with four decimals."""
    return "-" if values is None else f"{values[0]:.4f} to {values[1]:.4f}"
