"""Pictures in the tars of ``synth --layout webdataset``: each is looked up once, and then read by its place.

The manifest names them by a path through the tar, ``shards/000012.tar/KEY.jpg``. Nothing is unpacked, and no
epoch goes through a tar from its beginning.
"""

from __future__ import annotations

import os
from pathlib import Path

from maskgen.errors import UnreadableImageError
from maskgen.records import Member, Sample
from maskgen.tar_members import plain_name, read_member, scan

_TAR = ".tar/"


class Members:
    """Looks up members, tar by tar; the rows of a manifest come in the order of its tars.

    Args:
        folder: Where the manifest lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._archive: str | None = None
        self._found: dict[str, Member] = {}
        self._damage = ""

    def find(self, file: str) -> Member | None:
        """The place of a picture.

        Args:
            file: Its path below the folder, with ``/`` between folders.

        Returns:
            None where no part of the path is a tar; a member with a `refusal` where the tar does not have it.
        """
        end = file.find(_TAR) + len(_TAR) - 1
        archive, name = file[:end], file[end + 1 :]
        if end < len(_TAR) or (self._folder / archive).is_dir():
            return None
        if archive != self._archive:
            self._look_into(archive)
        refusal = self._damage or f"{archive} has no member {name!r}"
        return self._found.get(name) or Member(archive, name, refusal=refusal)

    def _look_into(self, archive: str) -> None:
        self._archive, self._found, self._damage = archive, {}, ""
        try:
            with (self._folder / archive).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                for entry in scan(file):
                    if entry.kind == "file":
                        name = plain_name(entry.name)
                        self._found[name] = Member(archive, name, entry.offset, entry.size, size)
        except UnreadableImageError as error:
            # What lies before the damage can be read.
            self._damage = f"{archive}: {error}"
        except OSError as error:
            self._damage = f"{archive}: {error.strerror or error}"


def read_picture(path: Path, member: Member | None = None) -> bytes:
    """The content of a picture.

    Args:
        path: Its file, or a path through a tar.
        member: Where it lies in that tar; None for a file of its own.

    Raises:
        UnreadableImageError: The member is not there, or the tar has changed since.
        OSError: The file, or the tar, cannot be read.
    """
    if member is None:
        return path.read_bytes()
    tar = path.parents[member.name.count("/")]
    return read_member(Sample(member.name, tar, member.name, member=member))
