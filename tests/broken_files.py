"""A folder of everything that other people's folders hold: over a hundred kinds of broken or odd inputs.

`make_corpus` writes them and says what must become of each: a row of what status, with what reason.
"""

import os
import re
import socket
from dataclasses import dataclass

from broken_bytes import READ, REFUSED, SIZE, suffix_of
from PIL import Image
from small_runs import face, landmark_file, template_file, write_template

from maskgen.face_mesh import Landmarks
from maskgen.files.path_text import to_text
from maskgen.landmarks.landmark_file import write_landmark_file

PICTURE = READ["jpeg with other bytes behind"][0]

# What is wrong with the name alone: the file is an image as good as any.
NAMES = {
    "a space": "with space.jpg",
    "a newline": "new\nline.jpg",
    "a carriage return": "carriage\rreturn.jpg",
    "a tab": "ta\tb.jpg",
    "an escape sequence": "\x1b[31mred.jpg",
    "quotes": "'single\" and `back`.jpg",
    "a backslash": "back\\slash.jpg",
    "a leading dash": "-rf.jpg",
    "a leading dot": ".hidden.jpg",
    "nothing but a suffix": ".jpg",
    "two dots": "..jpg",
    "dots all over": "dots.in.the.name.JPG",
    "a percent sign": "100%.jpg",
    "what we write for a byte": "%FF.jpg",
    "bytes that are no UTF-8": os.fsdecode(b"latin\xe9\xff.jpg"),
    "255 bytes": "n" * 251 + ".jpg",
    "255 bytes of three each": "面" * 83 + "ab.jpg",
    "a face of four bytes": "😷.jpg",
    "a text that runs backwards": "\u202egpj.exe.jpg",
    "an accent in one character": "é.jpg",
    "an accent in two characters": "e\u0301.jpg",
    "a pattern": "[a-z]*?.jpg",
    "a formula": "=HYPERLINK(1).jpg",
    "a device of another system": "CON.jpg",
    "a colon": "C:drive.jpg",
    "a URL": "http:__x?y=1&z=#.jpg",
    "a folder whose name ends in a dot": "folder./picture.jpg",
    "a folder that is called an image": "folder.jpg/picture.jpg",
    "thirty folders": "deep/" * 30 + "picture.jpg",
    "that of a file of ours": "manifest.jsonl/README.md/preview.jpg",
    "another format's suffix": "a jpeg.png",
}
# Not taken for images, and so no inputs.
IGNORED = ("trailing dot.jpg.", "no suffix", "notes.txt", "picture.jpg~")


@dataclass(frozen=True)
class Kind:
    """What must become of a kind of input.

    Attributes:
        name: Of the file, below the corpus.
        status: Of its row.
        reason: A pattern of the row's reason; None where there is none.
    """

    name: str
    status: str
    reason: str | None = None


def make_corpus(root):
    """Write the corpus, its landmark file and its template.

    Returns:
        Kind -> what must become of it. Permissions are not among them: see `forbid`.
    """
    root.mkdir(parents=True)
    kinds = {}
    for kind, (data, reason) in REFUSED.items():
        kinds[kind] = Kind(f"refused/{kind}{suffix_of(kind)}", "unreadable", reason)
        write(root / kinds[kind].name, data)
    for kind, (data, reason) in READ.items():
        kinds[kind] = Kind(f"read/{kind}{suffix_of(kind)}", "masked", reason)
        write(root / kinds[kind].name, data)
    for kind, name in NAMES.items():
        kinds[f"name: {kind}"] = Kind(f"names/{name}", "masked")
        write(root / "names" / name, PICTURE)
    for name in IGNORED:
        write(root / name, PICTURE)
    (root / "empty folder.jpg").mkdir()
    kinds |= {kind: make(root) for kind, make in SPECIAL.items()}
    lines = [line for each in kinds.values() if (line := landmarks_of(root, each))]
    write_landmark_file(landmark_file(root), lines)
    write_template(template_file(root))
    return kinds


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def landmarks_of(root, kind):
    """The line of the landmark file for an image that can be read."""
    if kind.status == "unreadable":
        return None
    with Image.open(root / kind.name) as picture:
        size = picture.size
        if picture.getexif().get(0x0112, 1) in (5, 6, 7, 8):
            size = size[::-1]
    standing = face(size if max(size) < 100 else SIZE)
    faces = [] if kind.status == "no_face" else [Landmarks(standing.points, size)]
    return to_text(kind.name), size, faces


def of_size(name, size, status, reason=None):
    def make(root):
        Image.new("RGB", size, (150, 140, 130)).save(root / name)
        return Kind(name, status, reason)

    return make


def pipe(root):
    os.mkfifo(root / "pipe.jpg")
    return Kind("pipe.jpg", "unreadable", "a pipe, socket or device")


def listening(root):
    """A socket's path may have about a hundred bytes only, so it is made from within its folder."""
    here = os.open(".", os.O_RDONLY)
    os.chdir(root)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket.jpg")
    finally:
        os.fchdir(here)
        os.close(here)
    return Kind("socket.jpg", "unreadable", "a pipe, socket or device")


def dangling(root):
    (root / "dangling.jpg").symlink_to("nowhere.jpg")
    return Kind("dangling.jpg", "unreadable", "file not found")


def link_to_itself(root):
    (root / "loop.jpg").symlink_to("loop.jpg")
    return Kind("loop.jpg", "unreadable", "[Ss]ymbolic links")


def link_inside(root):
    (root / "link.jpg").symlink_to("names/with space.jpg")
    return Kind("link.jpg", "masked")


def link_to_a_pipe(root):
    (root / "link to a pipe.jpg").symlink_to("pipe.jpg")
    return Kind("link to a pipe.jpg", "unreadable", "a pipe, socket or device")


def hole(root):
    """Three gigabytes that take no room on the disk."""
    with (root / "hole.jpg").open("wb") as file:
        file.truncate(3 << 30)
    return Kind("hole.jpg", "unreadable", r"a file of 3221225472 bytes, more than")


SPECIAL = {
    "pipe": pipe,
    "socket": listening,
    "dangling link": dangling,
    "link to itself": link_to_itself,
    "link to a pipe": link_to_a_pipe,
    "link inside the root": link_inside,
    "file of 3 GB": hole,
    "one pixel": of_size("one pixel.png", (1, 1), "no_face"),
    "one column": of_size("one column.png", (1, 900), "no_face"),
    "very wide": of_size("very wide.png", (12_000, 150), "masked"),
    "very small": of_size("very small.png", (20, 24), "too_small", "--min-face"),
}


def forbid(root):
    """Add a file that its owner may not read."""
    write(root / "forbidden.jpg", PICTURE)
    (root / "forbidden.jpg").chmod(0)
    return {"no permission": Kind("forbidden.jpg", "unreadable", "Permission denied")}


def wrong(kind, row):
    """What is wrong with a row, or None."""
    if row is None:
        return "it has no row"
    if row["status"] != kind.status:
        return f"expected {kind.status}, got {row['status']}: {row['reason']}"
    if (kind.reason or "") and not re.search(kind.reason, row["reason"] or ""):
        return f"expected a reason like {kind.reason!r}, got {row['reason']!r}"
    return None
