"""Datasets and results in object stores: what a URL needs that a local path does not.

A URL becomes a `UPath` of universal_pathlib, which has pathlib's names over any file system of fsspec. Most
code takes it for a path and knows no difference; what would be wrong or slow that way stands here. A local
path stays a `pathlib.Path`, and neither package is imported for it.

Credentials, endpoints and the like are fsspec's own matter: its configuration files and environment.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

from maskgen.errors import ConfigurationError, UsageError
from maskgen.files.redaction import has_credentials, redact

# Requests under way at once: each waits for the network, not for the processor.
_REQUESTS = 16

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")

Item = TypeVar("Item")
Result = TypeVar("Result")


class Entry(NamedTuple):
    """One name in a store's folder."""

    name: str
    is_folder: bool
    is_link: bool


def is_url(text: str) -> bool:
    """Whether the text is ``scheme://...`` and not a path."""
    return _URL.match(text) is not None


def location(text: str) -> Path:
    """The path that a text means, be it a path or a URL; ``file://`` is a path too.

    Nothing is looked up there yet.

    Raises:
        ConfigurationError: The packages that URLs of this kind need are not installed.
        UsageError: fsspec knows no such scheme, or the URL holds a user and password.
    """
    found = _URL.match(text)
    if found is None:
        return Path(text)
    if has_credentials(text):
        raise UsageError(
            f"{redact(text)}: a password in a URL would stand in records and logs; give them to "
            f"fsspec by its configuration files or environment: FSSPEC_{found[1].upper()}_PASSWORD"
        )
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme == "file":
        return Path(rest)
    try:
        from upath import UPath
    except ImportError as error:
        raise ConfigurationError(
            f"{text}: URLs need packages that are not installed: pip install 'maskgen[cloud]'"
        ) from error
    # A cached listing would grow with the dataset, and show what another job has removed since.
    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme == "local":
        options["auto_mkdir"] = True
    try:
        # As of a path, neither a ".." nor a "/" at the end makes another place of it.
        path = UPath(text.rstrip("/") if rest.strip("/") else text, **options).resolve()
        _ = path.fs
    except ImportError as error:
        raise ConfigurationError(f"{text}: the package for {scheme}:// is not installed: {error}") from error
    except ValueError as error:
        raise UsageError(f"{text}: {error}; expected a URL that fsspec knows, such as s3://...") from error
    return cast(Path, path)


def is_remote(path: Path) -> bool:
    """Whether `location` made it of a URL."""
    return not isinstance(path, Path)


def is_in_memory(path: Path) -> bool:
    """Whether it is of ``memory://``, which no other process sees."""
    return is_remote(path) and cast(Any, path).protocol == "memory"


def check_workers(paths: Iterable[Path], in_one_process: bool) -> None:
    """Refuse ``memory://`` where several processes would each have a memory of their own."""
    for path in paths:
        if is_in_memory(path) and not in_one_process:
            raise UsageError(f"{path} is in the memory of one process: work in that one, with -j 1")


def exists(path: Path) -> bool:
    """Whether there is a file or folder.

    Raises:
        ConfigurationError: A store does not answer, or not to us.
    """
    if not is_remote(path):
        return path.exists()
    try:
        _system(path).info(_key(path))
    except FileNotFoundError:
        return False
    # Each driver raises what it likes for lacking credentials, and `UPath.exists` calls that "not there".
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be reached: {_said(error)}") from error
    return True


def entries(folder: Path) -> Iterator[Entry]:
    """What lies in a store's folder.

    Raises:
        OSError: There is no such folder, or it cannot be listed.
    """
    system, key = _system(folder), _key(folder)
    for found in system.ls(key, detail=True):
        path = found["name"].rstrip("/")
        # Consoles make a folder by an empty object of its name, which is then listed inside of it.
        if path.strip("/") != key.strip("/"):
            is_link = bool(found.get("islink")) or found["type"] == "link"
            yield Entry(path.rpartition("/")[2], found["type"] == "directory", is_link)


def names_in(folder: Path) -> list[str]:
    """Names of the files and folders in a folder; none if it is not there."""
    try:
        if is_remote(folder):
            return [entry.name for entry in entries(folder)]
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []


def folders_in(folder: Path) -> list[str]:
    """Names of the folders in a folder; none if it is not there."""
    try:
        if is_remote(folder):
            return [entry.name for entry in entries(folder) if entry.is_folder]
        return [path.name for path in folder.iterdir() if path.is_dir()]
    except FileNotFoundError:
        return []


def open_lines(path: Path) -> BinaryIO:
    """A file to be read line by line."""
    file: Any = path.open("rb")
    # fsspec's own files take a whole block in hand for every line.
    return cast(BinaryIO, io.BufferedReader(file, 1 << 20)) if is_remote(path) else cast(BinaryIO, file)


def read_each(paths: Sequence[Path]) -> Iterator[bytes]:
    """The content of each file, in their order; nothing of one that is not there any more."""

    def read(path: Path) -> bytes:
        with suppress(FileNotFoundError):
            return cast(bytes, _system(path).cat_file(_key(path))) if is_remote(path) else path.read_bytes()
        return b""

    return _at_once(read, paths) if any(map(is_remote, paths)) else map(read, paths)


def put(local: Path, path: Path) -> None:
    """Copy a local file to a place in a store, whole or not at all where the store works so.

    Raises:
        ConfigurationError: The store does not take it.
    """
    try:
        _system(path).put_file(str(local), _key(path))
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be written: {_said(error)}") from error


def put_new(path: Path, data: bytes) -> bool:
    """Write a file to a place in a store where there is none; whether it did.

    Of several jobs at it at once one succeeds, if the store and its driver know of such writes (S3 and Google
    Cloud Storage do); otherwise each may, and the last one's file stays.

    Raises:
        ConfigurationError: The store does not take it.
    """
    if exists(path):
        return False
    system, key = _system(path), _key(path)
    try:
        try:
            system.pipe_file(key, data, mode="create")
        except TypeError:  # a driver older than this mode
            system.pipe_file(key, data)
    except FileExistsError:
        return False
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be written: {_said(error)}") from error
    return True


def get_each(paths: Sequence[Path], folder: Path, limit: int) -> list[Path]:
    """Copy files of a store into a local folder.

    Args:
        paths: Where they are.
        folder: Where the copies go; it is there.
        limit: Larger files than so many bytes are not fetched.

    Returns:
        A path for each: that of its copy, or its own if there is none. Whoever reads that meets the reason.
    """

    def get(numbered: tuple[int, Path]) -> Path:
        number, path = numbered
        copy = folder / str(number)
        try:
            info = _system(path).info(_key(path))
            if info["type"] != "file" or (info["size"] or 0) > limit:
                return path
            _system(path).get_file(_key(path), str(copy))
        # As above; and what cannot be fetched is one image's matter.
        except Exception:
            return path
        return copy

    return list(_at_once(get, enumerate(paths)))


def put_each(files: Mapping[Path, Path]) -> None:
    """Copy local files, the keys, to their places in a store."""
    for _ in _at_once(lambda local: put(local, files[local]), files):
        pass


def remove_each(paths: Iterable[Path]) -> None:
    """Remove files of a store, as far as they are there."""

    def remove(path: Path) -> None:
        # Not `rm`, which takes a name with a "*" in it for a pattern.
        with suppress(FileNotFoundError):
            _system(path).rm_file(_key(path))

    for _ in _at_once(remove, paths):
        pass


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it."""
    if not is_remote(folder):
        shutil.rmtree(folder)
    elif exists(folder):
        _system(folder).rm(_key(folder), recursive=True)


@contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """The path, or that of a copy while the block lasts if it is in a store: for readers that want a file."""
    if not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
        copy = Path(folder) / path.name
        _system(path).get_file(_key(path), str(copy))
        yield copy


def lies_in(inner: Path, outer: Path) -> bool:
    """Whether one place in a store is another one or lies below it."""
    mine, other = PurePosixPath(_key(inner).strip("/")), PurePosixPath(_key(outer).strip("/"))
    return bool(_system(inner) == _system(outer)) and mine.is_relative_to(other)


def _at_once(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    with ThreadPoolExecutor(_REQUESTS) as pool:
        yield from pool.map(function, items)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _system(path: Path) -> Any:
    """The fsspec file system a remote path is in."""
    return cast(Any, path).fs


def _key(path: Path) -> str:
    """What that calls it."""
    return cast(str, cast(Any, path).path)
