"""Tars made by hand, and whole runs over them."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

from small_runs import job

from maskgen.run.job import Job, run


def write_tar(path, members, **changes):
    """A tar of ``{name: content}``; a content may also be a `TarInfo` to be written as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in changes.items():
                setattr(info, field, value)
            tar.addfile(info, io.BytesIO(content))
    return path


def special(name, kind, target=""):
    """A member that is no file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def pack(root, folder, each=4):
    """The images below ``root`` under their own names, so many to a tar; returns a pattern for the tars."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.jpg"))
    for index in range(0, len(names), each):
        members = {name: (root / name).read_bytes() for name in names[index : index + each]}
        write_tar(folder / f"{index // each:06}.tar", members)
    return folder / "*.tar"


def masked_tars(root, pattern, out, *, running=None, **options):
    """Masks the tars that hold the images of a folder written by `small_runs.write_dataset`."""
    chosen = replace(job(root, out, **options).options, dataset="webdataset")
    return run(Job(chosen, Path(pattern), out), progress=False, **(running or {}))


def members(path):
    with tarfile.open(path) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}
