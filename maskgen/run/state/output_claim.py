"""Check that an output folder is empty or belongs to the same run, and lock it."""

import importlib
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

from maskgen.errors import ConfigurationError, LandmarkFileError, ModelError
from maskgen.files.checksum import file_sha256
from maskgen.files.redaction import redact
from maskgen.files.remote import is_remote, names_in, remove_tree
from maskgen.files.system_files import is_system_name
from maskgen.landmarks import LandmarkerSpec
from maskgen.landmarks.mediapipe_engines import find_task_file
from maskgen.landmarks.model_files import find_models
from maskgen.limits import max_pixels
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.results.layout import OWN_FILES
from maskgen.results.run_record import differences, fingerprint, versions
from maskgen.run.state.run_dir import STATE, RunDir

_KINDS = {"options": dict, "root": str, "templates": dict, "landmark_model": dict, "versions": dict}

# Seconds to wait for the lock of a run that is just ending.
_LOCK_WAIT = 1.0

log = logging.getLogger("maskgen")


def describe(
    options: SynthOptions, root: Path, landmarker: LandmarkerSpec, image_root: Path | None = None
) -> dict[str, Any]:
    """The content of ``config.json``: everything that affects the output bytes, and the source paths."""
    names = [name for name, weight in options.templates if weight > 0 and options.blend != "flatten"]
    return {
        "options": options.as_dict(),
        "root": redact(str(root.resolve())),
        **({} if image_root is None else {"image_root": redact(str(image_root.resolve()))}),
        "templates": {name: load_template(name).sha256 for name in names},
        "landmark_model": _landmark_model(landmarker),
        "max_pixels": max_pixels(),
        "versions": versions(),
    }


def _landmark_model(landmarker: LandmarkerSpec) -> dict[str, Any]:
    """The landmark engine, and the sha256 of its files together; the old graph has its own in mediapipe."""
    member, path = landmarker.member, landmarker.model_path
    model: dict[str, Any] = {"member": member, "sha256": None}
    if member in ("tasks", "mediapipe"):
        with suppress(PackageNotFoundError):  # opening the engine says how to install it
            model["mediapipe"] = version("mediapipe")
    try:
        if member == "litert":
            model["sha256"] = file_sha256(*find_models(path).values())
        elif member != "mediapipe":
            model["sha256"] = file_sha256(
                find_task_file(path) if member == "tasks" else Path(landmarker.model)
            )
    except OSError as error:
        kind = LandmarkFileError if landmarker.reads_file else ModelError
        raise kind(f"{error.filename or path} cannot be read: {error.strerror}") from error
    return model


def read_config(folder: RunDir) -> dict[str, Any] | None:
    """The content of ``config.json``; None if it is absent or damaged."""
    config = folder.read("config.json")
    is_whole = config and all(isinstance(config.get(name), kind) for name, kind in _KINDS.items())
    return config if is_whole else None


def options_of(config: Mapping[str, Any]) -> SynthOptions:
    """The options in a configuration of `describe`; `ConfigurationError` if they cannot be read."""

    def frozen(value: Any) -> Any:
        return tuple(map(frozen, value)) if isinstance(value, list) else value

    try:
        return SynthOptions(**{name: frozen(value) for name, value in config["options"].items()})
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the options of the run cannot be read: {error}") from error


def check_claim(folder: RunDir, config: Mapping[str, Any], overwrite: bool) -> None:
    """Check that the output folder is free for the run.

    Raises:
        ConfigurationError: The folder holds files of no run; or a run of another configuration and
            ``overwrite`` is not set (the message lists the differences); or its ``config.json`` is damaged
            and its shards have another fingerprint.
    """
    out, current = folder.out, read_config(folder)
    if current is None and folder.is_begun():
        fingerprints = {stats.fingerprint for stats in folder.done().values()}
        if not overwrite and fingerprints != {fingerprint(config)}:
            raise ConfigurationError(
                f"{folder.folder / 'config.json'} is missing or damaged, so the run in {out} is "
                "unknown; replace that run with --overwrite, or give another --out"
            )
    elif current is None:
        if out.exists() and not out.is_dir():
            raise ConfigurationError(f"{out} is a file; give another --out")
        foreign = sorted(name for name in names_in(out) if name != STATE and not is_system_name(name))
        if foreign:
            raise ConfigurationError(
                f"{out} holds files that maskgen has not written, such as {foreign[0]!r}; give another --out"
            )
    elif not overwrite and (changes := differences(current, config)):
        raise ConfigurationError(
            "\n  ".join((f"{out} holds a run of another configuration:", *changes))
            + "\nGive another --out, or replace that run with --overwrite."
        )


@contextmanager
def claimed(
    folder: RunDir, config: Mapping[str, Any], overwrite: bool, share: tuple[int, int] = (1, 1)
) -> Iterator[None]:
    """Claim the folder for the run, and lock other runs out inside the block.

    With ``overwrite``, the files of an earlier run are removed first.
    """
    check_claim(folder, config, overwrite)
    if overwrite and folder.is_begun():
        if read_config(folder) is None:
            folder.write("config.json", {})  # the lock is on this file
        with locked(folder):
            remove_run(folder)
    absent = read_config(folder) is None
    if absent and not folder.create("config.json", config) and read_config(folder) is None:
        folder.write("config.json", config)  # in place of a damaged one
    # Two jobs of an array may start at once with different options; only one of them wrote the file.
    check_claim(folder, config, overwrite=False)
    with locked(folder, share):
        check_claim(folder, config, overwrite=False)
        yield


def remove_run(folder: RunDir) -> None:
    """Remove every file that a run wrote into its folder, and no other."""
    begun = folder.begun()
    for index in begun:
        # First: if this is killed, a shard without its images must not count as done.
        folder.forget(index)
    for index in begun:
        folder.remove(folder.written(index))
    folder.remove({*folder.final_files(), *OWN_FILES} - {STATE})
    remove_tree(folder.folder)


@contextmanager
def locked(folder: RunDir, share: tuple[int, int] = (1, 1)) -> Iterator[None]:
    """Lock other runs out of the folder inside the block; different shares of one array may run at once.

    Raises:
        ConfigurationError: Another run, or the same share, is active there.
    """
    fcntl: Any = None
    if not is_remote(folder.out):
        with suppress(ImportError):  # Windows has none
            fcntl = importlib.import_module("fcntl")
    with ExitStack() as stack:
        if fcntl is not None:
            lock = partial(_lock_file, stack, folder, fcntl)
            if share == (1, 1):
                lock("config.json", "r+b", fcntl.LOCK_EX)
            else:
                lock("config.json", "rb", fcntl.LOCK_SH)
                folder.make_folders()
                lock(f"tmp/share-{share[0]}-of-{share[1]}", "ab", fcntl.LOCK_EX)
        yield


def _lock_file(stack: ExitStack, folder: RunDir, fcntl: Any, name: str, mode: str, kind: int) -> None:
    """Open and lock a file of ``.maskgen`` until ``stack`` closes."""
    path, deadline = folder.folder / name, time.monotonic() + _LOCK_WAIT
    while True:
        try:
            file: BinaryIO = stack.enter_context(path.open(mode))  # type: ignore[assignment]
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            # The previous holder may have replaced the file.
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                return
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            log.info("%s is not locked: %s", path, error.strerror)
            return
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"another run is at work in {folder.out}; wait for it or stop it, or give another --out "
                "(shares of a job array work side by side: --shard I/N)"
            )
        time.sleep(_LOCK_WAIT / 20)
