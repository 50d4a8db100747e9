"""Leaks between splits: a person, a source image or the same bytes in more than one split."""

from collections.abc import Sequence

from maskgen.errors import LeakError
from maskgen.records import SPLITS
from maskgen.train.data.examples import Dropped, Example

NAMED = 10  # the most leaks in a message


def find_leaks(examples: Sequence[Example]) -> dict[tuple[str, str], dict[str, str]]:
    """Find every person, source image and content that is in more than one split.

    A masked image has the same content key as its source, in any dataset, because the manifest has the
    sha256 of the source. Copies that another program encoded again are not found.

    Returns:
        (kind, key), see `Example.keys` -> split -> the id of the first example there.
    """
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for example in examples:
        for key in example.keys():  # noqa: SIM118
            seen.setdefault(key, {}).setdefault(example.split or "(none)", example.id)
    return {key: places for key, places in seen.items() if len(places) > 1}


def refuse_leaks(examples: Sequence[Example]) -> None:
    """Raise `LeakError` if there are leaks; the message names the first ones."""
    leaks = find_leaks(examples)
    lines = [
        f"  {kind} {key}: {' and '.join(f'{name} ({split})' for split, name in sorted(places.items()))}\n"
        for (kind, key), places in [*leaks.items()][:NAMED]
    ]
    if len(leaks) > NAMED:
        lines.append(f"  and {len(leaks) - NAMED:,} more\n")
    if leaks:
        raise LeakError(
            f"{len(leaks):,} on both sides of the split:\n{''.join(lines)}--drop-leaks removes them from the "
            "training and keeps the test unchanged; --no-official-split draws a new split by person"
        )


def without_leaks(examples: Sequence[Example]) -> tuple[list[Example], list[Dropped]]:
    """Remove leaking examples: from training first, then from validation; the test split is unchanged."""
    highest = {key: max(map(SPLITS.index, places)) for key, places in find_leaks(examples).items()}
    kept: list[Example] = []
    dropped: list[Dropped] = []
    for example in examples:
        level = SPLITS.index(example.split or "train")
        leak = next((key for key in example.keys() if highest.get(key, 0) > level), None)  # noqa: SIM118
        if leak is None:
            kept.append(example)
        else:
            dropped.append(example.dropped("leak", " ".join(leak)))
    return kept, dropped
