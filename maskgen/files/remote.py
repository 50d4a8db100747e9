"""Access to object stores through fsspec and universal_pathlib.

A URL becomes a `UPath`, which has the methods of `pathlib.Path` over any file system of fsspec. Most code
uses it like a path; this module has the operations that would be wrong or slow that way. A local path stays a
`pathlib.Path`, and neither package is imported for it.

fsspec reads credentials and endpoints from its own configuration files and environment.
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

# Parallel requests: each waits for the network, not for the processor.
_REQUESTS = 16

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")

Item = TypeVar("Item")
Result = TypeVar("Result")


class Entry(NamedTuple):
    """A file or folder in a remote folder."""

    name: str
    is_folder: bool
    is_link: bool


def is_url(text: str) -> bool:
    """Whether a text is a URL, ``scheme://...``."""
    return _URL.match(text) is not None


def location(text: str) -> Path:
    """The path object of a path or URL, without any access to it; ``file://`` gives a local path.

    Raises:
        ConfigurationError: A package for URLs of this scheme is not installed.
        UsageError: fsspec does not know the scheme, or the URL holds a user and password.
    """
    match = _URL.match(text)
    if match is None:
        return Path(text)
    if has_credentials(text):
        raise UsageError(
            f"{redact(text)}: a password in a URL would appear in records and logs; give it to "
            f"fsspec by its configuration files or environment: FSSPEC_{match[1].upper()}_PASSWORD"
        )
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme == "file":
        return Path(rest)
    try:
        from upath import UPath
    except ImportError as error:
        raise ConfigurationError(
            f"{text}: URLs need packages that are not installed: pip install 'maskgen[cloud]'"
        ) from error
    # A cached listing grows with the dataset, and becomes stale when another job removes files.
    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme == "local":
        options["auto_mkdir"] = True
    try:
        # Normalise ".." and a trailing "/" as in a local path.
        path = UPath(text.rstrip("/") if rest.strip("/") else text, **options).resolve()
        _ = path.fs
    except ImportError as error:
        raise ConfigurationError(f"{text}: the package for {scheme}:// is not installed: {error}") from error
    except ValueError as error:
        raise UsageError(f"{text}: {error}; expected a URL that fsspec knows, such as s3://...") from error
    return cast(Path, path)


def is_remote(path: Path) -> bool:
    """Whether `location` made this path from a URL."""
    return not isinstance(path, Path)


def is_in_memory(path: Path) -> bool:
    """Whether the path is in ``memory://``, which no other process sees."""
    return is_remote(path) and cast(Any, path).protocol == "memory"


def check_workers(paths: Iterable[Path], in_one_process: bool) -> None:
    """Refuse ``memory://`` paths for several processes, which share no memory."""
    for path in paths:
        if is_in_memory(path) and not in_one_process:
            raise UsageError(f"{path} is in the memory of one process: use a single process, with -j 1")


def exists(path: Path) -> bool:
    """Whether a file or folder exists.

    Raises:
        ConfigurationError: The store does not answer or denies access.
    """
    if not is_remote(path):
        return path.exists()
    try:
        _system(path).info(_key(path))
    except FileNotFoundError:
        return False
    # Drivers raise arbitrary errors without credentials, and `UPath.exists` returns False for them.
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be reached: {_describe(error)}") from error
    return True


def entries(folder: Path) -> Iterator[Entry]:
    """The entries of a remote folder.

    Raises:
        OSError: The folder is absent or cannot be listed.
    """
    system, key = _system(folder), _key(folder)
    for info in system.ls(key, detail=True):
        path = info["name"].rstrip("/")
        # Web consoles create a folder as an empty object of its name, which is listed inside it.
        if path.strip("/") != key.strip("/"):
            is_link = bool(info.get("islink")) or info["type"] == "link"
            yield Entry(path.rpartition("/")[2], info["type"] == "directory", is_link)


def names_in(folder: Path) -> list[str]:
    """Names of the files and folders in a folder; none if it is absent."""
    try:
        if is_remote(folder):
            return [entry.name for entry in entries(folder)]
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []


def folders_in(folder: Path) -> list[str]:
    """Names of the folders in a folder; none if it is absent."""
    try:
        if is_remote(folder):
            return [entry.name for entry in entries(folder) if entry.is_folder]
        return [path.name for path in folder.iterdir() if path.is_dir()]
    except FileNotFoundError:
        return []


def open_lines(path: Path) -> BinaryIO:
    """Open a file for reading line by line."""
    file: Any = path.open("rb")
    # fsspec's own files copy a whole block for every line.
    return cast(BinaryIO, io.BufferedReader(file, 1 << 20)) if is_remote(path) else cast(BinaryIO, file)


def read_each(paths: Sequence[Path]) -> Iterator[bytes]:
    """The content of each file, in order; empty for an absent file."""

    def read(path: Path) -> bytes:
        with suppress(FileNotFoundError):
            return cast(bytes, _system(path).cat_file(_key(path))) if is_remote(path) else path.read_bytes()
        return b""

    return _map_parallel(read, paths) if any(map(is_remote, paths)) else map(read, paths)


def put(local: Path, path: Path) -> None:
    """Upload a local file, atomically if the store supports that.

    Raises:
        ConfigurationError: The store refuses it.
    """
    try:
        _system(path).put_file(str(local), _key(path))
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be written: {_describe(error)}") from error


def put_new(path: Path, data: bytes) -> bool:
    """Write a remote file if it is absent; returns whether it was written.

    Of several concurrent jobs one succeeds if the store and its driver support exclusive writes (S3 and
    Google Cloud Storage do); otherwise several may, and the last file stays.

    Raises:
        ConfigurationError: The store refuses it.
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
        raise ConfigurationError(f"{path} cannot be written: {_describe(error)}") from error
    return True


def get_each(paths: Sequence[Path], folder: Path, limit: int) -> list[Path]:
    """Download files into a local folder.

    Args:
        paths: The remote files.
        folder: An existing folder for the copies.
        limit: Maximum size in bytes; larger files are not fetched.

    Returns:
        For each file the path of its copy, or its own path if it was not fetched; reading that raises the
        reason.
    """

    def get(numbered: tuple[int, Path]) -> Path:
        number, path = numbered
        copy = folder / str(number)
        try:
            info = _system(path).info(_key(path))
            if info["type"] != "file" or (info["size"] or 0) > limit:
                return path
            _system(path).get_file(_key(path), str(copy))
        # Arbitrary errors, as above; an image that cannot be fetched fails alone when it is read.
        except Exception:
            return path
        return copy

    return list(_map_parallel(get, enumerate(paths)))


def put_each(files: Mapping[Path, Path]) -> None:
    """Upload local files, the keys, to their remote paths, the values."""
    for _ in _map_parallel(lambda local: put(local, files[local]), files):
        pass


def remove_each(paths: Iterable[Path]) -> None:
    """Remove remote files; absent ones are ignored."""

    def remove(path: Path) -> None:
        # Not `rm`, which treats a "*" in a name as a wildcard.
        with suppress(FileNotFoundError):
            _system(path).rm_file(_key(path))

    for _ in _map_parallel(remove, paths):
        pass


def remove_tree(folder: Path) -> None:
    """Remove a folder and its content."""
    if not is_remote(folder):
        shutil.rmtree(folder)
    elif exists(folder):
        _system(folder).rm(_key(folder), recursive=True)


@contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """A local path of a file: its own, or that of a temporary copy of a remote file."""
    if not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
        copy = Path(folder) / path.name
        _system(path).get_file(_key(path), str(copy))
        yield copy


def lies_in(inner: Path, outer: Path) -> bool:
    """Whether a remote path equals another one or lies below it."""
    mine, other = PurePosixPath(_key(inner).strip("/")), PurePosixPath(_key(outer).strip("/"))
    return bool(_system(inner) == _system(outer)) and mine.is_relative_to(other)


def _map_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    with ThreadPoolExecutor(_REQUESTS) as pool:
        yield from pool.map(function, items)


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _system(path: Path) -> Any:
    """The fsspec file system of a remote path."""
    return cast(Any, path).fs


def _key(path: Path) -> str:
    """The name of a remote path in its file system."""
    return cast(str, cast(Any, path).path)
