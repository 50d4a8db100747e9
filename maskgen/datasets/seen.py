"""Which names were already given, over millions of them, at sixteen bytes each or less."""

from __future__ import annotations

import os
from array import array
from hashlib import blake2b


class Seen:
    """A set of names that keeps 8 bytes of each one's hash.

    Two names of one hash, at odds of one in 30 million in a million names, are taken for one: then the later
    is told apart by its tar as if the name had been used, which costs nothing.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, name: str) -> bool:
        """Take in a name; False if it was there."""
        if 4 * self._count > 3 * len(self._slots):
            before = self._slots
            self._slots = array("Q", bytes(2 * 8 * len(before)))
            for digest in before:
                if digest:
                    self._put(digest)
        hashed = blake2b(os.fsencode(name), digest_size=8).digest()
        if not self._put(int.from_bytes(hashed, "big") or 1):
            return False
        self._count += 1
        return True

    def _put(self, digest: int) -> bool:
        slots, last = self._slots, len(self._slots) - 1
        place = digest & last
        while slots[place]:
            if slots[place] == digest:
                return False
            place = (place + 1) & last
        slots[place] = digest
        return True

    def unused(self, name: str, shard: str) -> str:
        """The name, or if it was given before one with its tar's name in front; and take it in."""
        found, number = name, 1
        while not self.add(found):
            found = f"{shard}/{name}" if number == 1 else f"{shard}~{number}/{name}"
            number += 1
        return found
