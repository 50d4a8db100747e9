"""Access to object stores through fsspec and universal_pathlib.

A URL becomes a `UPath`, which has the methods of `pathlib.Path` over any file system of fsspec. Most code
uses it like a path; this module has the operations that would be wrong or slow that way. A local path stays a
`pathlib.Path`. fsspec reads credentials and endpoints from its own configuration files and environment.
"""

import io
import os
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

_REQUESTS = 16  # in parallel: each waits for the network, not for the processor
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")

Result = TypeVar("Result")


class Entry(NamedTuple):
    """A file or folder in a folder; ``is_folder`` is also true for a link to a folder."""

    name: str
    is_folder: bool
    is_link: bool


def is_url(text: str) -> bool:
    """Whether a text is a URL, ``scheme://...``."""
    return _URL.match(text) is not None


def location(text: str) -> Path:
    """The path object of a path or URL, without any access to it; ``file://`` gives a local path.

    A `ConfigurationError` if a package is not installed, a `UsageError` for an unknown scheme or a password.
    """
    if (match := _URL.match(text)) is None:
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
        remedy = "URLs need packages that are not installed: pip install 'maskgen[cloud]'"
        raise ConfigurationError(f"{text}: {remedy}") from error
    # A cached listing grows with the dataset, and becomes stale when another job removes files.
    options: dict[str, Any] = {"use_listings_cache": False}
    options |= {"auto_mkdir": True} if scheme == "local" else {}
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
    """Whether a file or folder exists; a `ConfigurationError` if the store does not answer."""
    if not is_remote(path):
        return path.exists()
    system, key = _store(path)
    with _store_errors(f"{path} cannot be reached"), suppress(FileNotFoundError):
        system.info(key)
        return True
    return False


def entries(folder: Path) -> Iterator[Entry]:
    """The entries of a local or remote folder; an `OSError` if it is absent or cannot be listed."""
    if not is_remote(folder):
        with os.scandir(folder) as scan:
            for entry in scan:
                is_link = entry.is_symlink()
                # `DirEntry.is_dir` raises for a link to itself.
                is_folder = os.path.isdir(entry.path) if is_link else entry.is_dir()  # noqa: PTH112
                yield Entry(entry.name, is_folder, is_link)
        return
    system, key = _store(folder)
    for info in system.ls(key, detail=True):
        path = info["name"].rstrip("/")
        # Web consoles create a folder as an empty object of its name, which is listed inside it.
        if path.strip("/") != key.strip("/"):
            is_link = bool(info.get("islink")) or info["type"] == "link"
            yield Entry(path.rpartition("/")[2], info["type"] == "directory", is_link)


def names_in(folder: Path, only_folders: bool = False) -> list[str]:
    """Names of the files and folders, or only of the folders, in a folder; none if it is absent."""
    with suppress(FileNotFoundError):
        return [entry.name for entry in entries(folder) if entry.is_folder or not only_folders]
    return []


def open_lines(path: Path) -> BinaryIO:
    """Open a file for reading line by line."""
    file: Any = path.open("rb")
    # fsspec's own files copy a whole block for every line.
    return cast(BinaryIO, io.BufferedReader(file, 1 << 20) if is_remote(path) else file)


def read_each(paths: Sequence[Path]) -> Iterator[bytes]:
    """The content of each file, in order; empty for an absent file."""

    def read(path: Path) -> bytes:
        with suppress(FileNotFoundError):
            if not is_remote(path):
                return path.read_bytes()
            system, key = _store(path)
            return cast(bytes, system.cat_file(key))
        return b""

    return iter(_in_parallel(read, paths)) if any(map(is_remote, paths)) else map(read, paths)


def put(local: Path, path: Path) -> None:
    """Upload a local file, atomically if the store supports that; a `ConfigurationError` if it refuses."""
    system, key = _store(path)
    with _store_errors(f"{path} cannot be written"):
        system.put_file(str(local), key)


def put_new(path: Path, data: bytes) -> bool:
    """Write a remote file if it is absent; returns whether it was written.

    Of several concurrent jobs one succeeds if the store supports exclusive writes (S3, Google Cloud Storage).
    """
    if exists(path):
        return False
    system, key = _store(path)
    with _store_errors(f"{path} cannot be written"):
        try:
            system.pipe_file(key, data, mode="create")
        except TypeError:  # a driver older than this mode
            system.pipe_file(key, data)
        except FileExistsError:
            return False
    return True


def get_each(paths: Sequence[Path], folder: Path, limit: int) -> list[Path]:
    """Download files of at most ``limit`` bytes into an existing local folder.

    Returns the path of each copy, or the file's own path if it was not fetched: reading it gives the reason.
    """

    def get(path: Path, copy: Path) -> Path:
        # Drivers raise arbitrary errors; an image that cannot be fetched fails alone when it is read.
        with suppress(Exception):
            system, key = _store(path)
            info = system.info(key)
            if info["type"] == "file" and (info["size"] or 0) <= limit:
                system.get_file(key, str(copy))
                return copy
        return path

    return _in_parallel(get, paths, [folder / str(number) for number in range(len(paths))])


def put_each(files: Mapping[Path, Path]) -> None:
    """Upload local files, the keys, to their remote paths, the values."""
    _in_parallel(put, files.keys(), files.values())


def remove_each(paths: Iterable[Path]) -> None:
    """Remove remote files; absent ones are ignored."""

    def remove(path: Path) -> None:
        system, key = _store(path)
        # Not `rm`, which treats a "*" in a name as a wildcard.
        with suppress(FileNotFoundError):
            system.rm_file(key)

    _in_parallel(remove, paths)


def remove_tree(folder: Path) -> None:
    """Remove a folder and its content."""
    if not is_remote(folder):
        shutil.rmtree(folder)
    elif exists(folder):
        system, key = _store(folder)
        system.rm(key, recursive=True)


@contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """A local path of a file: its own, or that of a temporary copy of a remote file."""
    if not is_remote(path):
        yield path
        return
    system, key = _store(path)
    with tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
        copy = Path(folder) / path.name
        system.get_file(key, str(copy))
        yield copy


def lies_in(inner: Path, outer: Path) -> bool:
    """Whether a remote path equals another one or lies below it."""
    (system, mine), (other_system, other) = _store(inner), _store(outer)
    is_below = PurePosixPath(mine.strip("/")).is_relative_to(PurePosixPath(other.strip("/")))
    return is_below and bool(system == other_system)


def _in_parallel(function: Callable[..., Result], *arguments: Iterable[Path]) -> list[Result]:
    with ThreadPoolExecutor(_REQUESTS) as pool:
        return list(pool.map(function, *arguments))


@contextmanager
def _store_errors(problem: str) -> Iterator[None]:
    """Convert the errors of a driver, which are arbitrary without credentials, to a `ConfigurationError`."""
    try:
        yield
    except Exception as error:
        message = f"{problem}: {type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigurationError(message) from error


def _store(path: Path) -> tuple[Any, str]:
    """The fsspec file system of a remote path, and the path's name in it."""
    remote: Any = path
    return remote.fs, remote.path
