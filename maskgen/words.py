"""The words for splits and genders in folders, label files, tables and tars; each list exists once.

Case and blanks around a word do not matter. A number is no word: 1 is male in one dataset and female in
another. Only the module of a dataset that documents its numbers reads them.
"""

from __future__ import annotations

from collections.abc import Iterable

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval", "evaluation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
GENDER_WORDS = {
    **dict.fromkeys(("male", "males", "man", "men", "boy", "boys", "m"), "male"),
    **dict.fromkeys(("female", "females", "woman", "women", "girl", "girls", "f"), "female"),
}


def split_of(text: str) -> str | None:
    """The split in `maskgen.records.SPLITS` that a folder or cell of that name means, else None."""
    return SPLIT_WORDS.get(text.strip().lower())


def gender_of(text: str) -> str | None:
    """Returns "male" or "female" where the text is one of `GENDER_WORDS`, else None."""
    return GENDER_WORDS.get(text.strip().lower())


def genders_in(folders: Iterable[str], *, letters: bool = False) -> set[str]:
    """The genders that folders name; a single letter, often part of an index, only with ``letters``."""
    return {gender for name in folders if (letters or len(name) > 1) and (gender := gender_of(name))}
