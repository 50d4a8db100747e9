"""Whether an output folder may take a run: it is new, or holds a run of the very same configuration."""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from maskgen.errors import ConfigurationError, LandmarkFileError, ModelError
from maskgen.files.redaction import redact
from maskgen.files.remote import is_remote, names_in, remove_tree
from maskgen.files.system_files import is_system_name
from maskgen.landmarks import LandmarkerSpec, bundled_models
from maskgen.limits import max_pixels
from maskgen.masking.templates.library import load_template
from maskgen.options import SynthOptions
from maskgen.results.layout import OWN_FILES
from maskgen.results.run_record import differences, fingerprint, versions
from maskgen.run.state.run_dir import STATE, RunDir

_KINDS = {"options": dict, "root": str, "templates": dict, "landmark_model": dict, "versions": dict}

MODEL_VARIABLE = "MASKGEN_LANDMARK_MODEL"


def describe(
    options: SynthOptions, root: Path, landmarker: LandmarkerSpec, image_root: Path | None = None
) -> dict[str, Any]:
    """What ``config.json`` says of a run: all that decides its bytes, and where it reads from."""
    names = [name for name, weight in options.templates if weight > 0 and options.blend != "flatten"]
    return {
        "options": options.as_dict(),
        "root": redact(str(root.resolve())),
        **({} if image_root is None else {"image_root": redact(str(image_root.resolve()))}),
        "templates": {name: load_template(name).sha256 for name in names},
        "landmark_model": {"member": landmarker.member, "sha256": _model_sha256(landmarker)},
        "max_pixels": max_pixels(),
        "versions": versions(),
    }


def _model_sha256(landmarker: LandmarkerSpec) -> str | None:
    """Of the file that the landmarks come from, or of the models in mediapipe's wheel, one after the other.

    None for the model that maskgen fetches: that is held against its known hash whenever it is opened.
    """
    named = os.environ.get(MODEL_VARIABLE) if landmarker.member == "tasks" else None
    path = Path(landmarker.model) if landmarker.reads_file else landmarker.model_path or named
    paths = bundled_models() if landmarker.member == "bundled" else [Path(path)] if path else []
    if not paths:
        return None
    hashed = hashlib.sha256()
    for each in paths:
        try:
            with each.open("rb") as file:
                while piece := file.read(1 << 20):
                    hashed.update(piece)
        except OSError as error:
            kind = LandmarkFileError if landmarker.reads_file else ModelError
            raise kind(f"{each} cannot be read: {error.strerror}") from error
    return hashed.hexdigest()


def read_config(folder: RunDir) -> dict[str, Any] | None:
    """What ``config.json`` says; None if it is not there, or not what `describe` gives."""
    config = folder.read("config.json")
    whole = config and all(isinstance(config.get(name), kind) for name, kind in _KINDS.items())
    return config if whole else None


def options_of(config: Mapping[str, Any]) -> SynthOptions:
    """The options that `describe` was given.

    Raises:
        ConfigurationError: They are of another version of maskgen, or damaged.
    """

    def frozen(value: Any) -> Any:
        return tuple(map(frozen, value)) if isinstance(value, list) else value

    try:
        return SynthOptions(**{name: frozen(value) for name, value in config["options"].items()})
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the options of the run cannot be read: {error}") from error


def check_claim(folder: RunDir, config: Mapping[str, Any], overwrite: bool) -> None:
    """See to it that the folder may take the run.

    Raises:
        ConfigurationError: It holds files that are no run's, or another configuration's run and
            ``overwrite`` is not set; the message says what differs. Or its ``config.json`` is damaged, and
            its shards do not all say that they are of this very run.
    """
    out, there = folder.out, read_config(folder)
    if there is None and folder.is_begun():
        done = folder.done().values()
        ours = done and all(stats.fingerprint == fingerprint(config) for stats in done)
        if not overwrite and not ours:
            raise ConfigurationError(
                f"{folder.folder / 'config.json'} is missing or damaged, so which run {out} holds is "
                "not known; replace that run with --overwrite, or give another --out"
            )
    elif there is None:
        if out.exists() and not out.is_dir():
            raise ConfigurationError(f"{out} is a file; give another --out")
        strange = sorted(name for name in names_in(out) if name != STATE and not is_system_name(name))
        if strange:
            raise ConfigurationError(
                f"{out} holds files that maskgen has not written, such as {strange[0]!r}; give another --out"
            )
    elif not overwrite and (changed := differences(there, config)):
        raise ConfigurationError(
            f"{out} holds a run of another configuration:\n  "
            + "\n  ".join(changed)
            + "\nGive another --out, or replace that run with --overwrite."
        )


def claim(folder: RunDir, config: Mapping[str, Any], overwrite: bool) -> None:
    """Take the folder for the run, after what an earlier one wrote is removed if that is asked for."""
    check_claim(folder, config, overwrite)
    if overwrite and folder.is_begun():
        if read_config(folder) is None:
            folder.write("config.json", {})  # the lock is on this file
        with locked(folder):
            remove_run(folder)
    absent = read_config(folder) is None
    if absent and not folder.create("config.json", config) and read_config(folder) is None:
        folder.write("config.json", config)  # in place of a damaged one
    # Two jobs of an array may have begun at once with different options: the file is of one of them.
    check_claim(folder, config, overwrite=False)


@contextmanager
def claimed(
    folder: RunDir, config: Mapping[str, Any], overwrite: bool, share: tuple[int, int] = (1, 1)
) -> Iterator[None]:
    """Takes the folder for the run as `claim` does, and keeps other runs out of it while the block lasts."""
    claim(folder, config, overwrite)
    with locked(folder, share):
        # Another run may have come in between.
        check_claim(folder, config, overwrite=False)
        yield


def remove_run(folder: RunDir) -> None:
    """Remove every file that a run has written into its folder, and no other."""
    begun = folder.begun()
    for index in begun:
        # First of all: were this killed half-way, no shard may pass for done whose images are gone.
        folder.forget(index)
    for index in begun:
        folder.remove(folder.written(index))
    folder.remove({*folder.final_files(), *OWN_FILES} - {STATE})
    remove_tree(folder.folder)


# Seconds: a run that is just ending holds its lock a moment longer.
_PATIENCE = 1.0

log = logging.getLogger("maskgen")


@contextmanager
def locked(folder: RunDir, share: tuple[int, int] = (1, 1)) -> Iterator[None]:
    """Keeps other runs out of the folder while the block lasts.

    Args:
        folder: The run's folder, with its ``config.json``.
        share: (i, n), from 1: different shares of one array may work in it at once.

    Raises:
        ConfigurationError: Another run, or the same share, is at work there.
    """
    fcntl = None if is_remote(folder.out) else _fcntl()
    with ExitStack() as held:
        if fcntl is not None:
            config = folder.folder / "config.json"
            if share == (1, 1):
                _take(held, config, "r+b", lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
            else:
                _take(held, config, "rb", lambda file: fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB))
                folder.make_folders()
                own = folder.scratch / f"share-{share[0]}-of-{share[1]}"
                _take(held, own, "ab", lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
        yield


def _take(held: ExitStack, path: Path, mode: str, lock: Any) -> None:
    """Open and lock a file, and leave closing it to ``held``."""
    out = next(parent.parent for parent in path.parents if parent.name == STATE)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            file: BinaryIO = held.enter_context(path.open(mode))  # type: ignore[assignment]
            lock(file)
            # Who held it until now may have replaced it.
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                return
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            log.info("%s is not locked: %s", path, error.strerror)
            return
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"another run is at work in {out}; wait for it or stop it, or give another --out "
                "(shares of a job array work side by side: --shard I/N)"
            )
        time.sleep(_PATIENCE / 20)


def _fcntl() -> Any:
    """The module, or None on Windows, where there is none."""
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None
