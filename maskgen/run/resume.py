"""Check that a run can resume: same configuration, unchanged dataset; drop shards that have changed.

Each shard records the size and time of its sources, and a digest of their labels. If only the time of a file
is new, its sha256 decides: touching or copying a dataset does not change it. For a dataset in an object store
only label files are compared, because the time of each source would take a request.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskgen.datasets import FaceDataset
from maskgen.errors import ConfigurationError
from maskgen.files.atomic import write_atomic
from maskgen.files.checksum import file_sha256
from maskgen.files.json_text import from_json
from maskgen.files.path_text import from_text
from maskgen.files.remote import exists, is_remote, location, open_lines
from maskgen.files.tar import folder_of
from maskgen.options import SynthOptions
from maskgen.results.reader import SourceFiles
from maskgen.results.run_record import fingerprint
from maskgen.run.shard_list import ShardList, cut, label_files, list_samples
from maskgen.run.state.output_claim import check_claim, locked
from maskgen.run.state.run_dir import STATE, RunDir
from maskgen.run.state.shard_records import ShardSources, digest, digest_of_facts, stamp

# In place of the sha256 of a failed input, which may have been repaired; --retry-failed covers it.
_FAILED = "failed"

log = logging.getLogger("maskgen")


def numbers_of(shards: Iterable[int]) -> str:
    """The first twenty of these shard numbers, as text."""
    numbers = list(map(str, shards))
    return ", ".join(numbers[:20]) + (", ..." if len(numbers) > 20 else "")


def check_fingerprints(listing: ShardList, config: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` if finished shards have another configuration; the message names them."""
    own = fingerprint(config)
    foreign = [index for index, stats in sorted(listing.done.items()) if stats.fingerprint != own]
    if foreign:
        raise ConfigurationError(
            f"shards {numbers_of(foreign)} of {listing.folder.out} were made with another configuration than "
            "its config.json says; redo them with --accept-changes, or the whole run with --overwrite"
        )


def forget_failed(folder: RunDir) -> None:
    """Mark the shards with unreadable inputs or errors as not done."""
    for stats in folder.done().values():
        if stats.counts.failed:
            folder.forget(stats.index)


def check_unchanged(listing: ShardList, config: Mapping[str, Any]) -> None:
    """Check that the run can resume; a dataset that no longer exists is not checked.

    A shard of this share whose record of sources is damaged is removed from the list of finished shards.

    Raises:
        ConfigurationError: Shards have another configuration, or label files or sources have changed.
    """
    check_fingerprints(listing, config)
    folder, dataset, root = listing.folder, listing.dataset, listing.root
    if not ((dataset.files or exists(root)) and dataset.holds(root)):
        return
    changes = [f"label file {name}" for name in _changed_labels(folder, label_files(dataset, root))]
    changed: dict[int, str] = {}
    for index, source in changed_sources(folder, _sources_folder(config, root), listing.own_done()):
        if source is None:
            log.warning("shard %d counts as not done: the record of its sources is damaged", index)
            listing.forget(index)
        else:
            changed[index] = source
    if changed:
        changes.append(f"{next(iter(changed.values()))} in shards {numbers_of(changed)}")
    if changes:
        raise ConfigurationError(
            f"the files in {root} have changed since {folder.out} was begun ({'; '.join(changes)}); redo "
            "the changes with --accept-changes, or the whole run with --overwrite"
        )


def accept_changes(
    folder: RunDir, config: Mapping[str, Any], options: SynthOptions, dataset: FaceDataset, root: Path
) -> None:
    """Remove every shard, of any share, whose sources or labels have changed, for the run to redo it.

    Raises:
        ConfigurationError: The run has another configuration, or a job is active in its folder.
    """
    if folder.read("config.json") is None:
        return
    check_claim(folder, config, overwrite=False)
    with locked(folder):
        own, done, unchanged = fingerprint(config), folder.done(), set()
        changed = dict(changed_sources(folder, _sources_folder(config, root), list(done)))
        for index, samples in enumerate(cut(list_samples(options, dataset, root), options.shard_size)):
            same = (own, digest(sample.id for sample in samples))
            if (
                index in done
                and index not in changed
                and (done[index].fingerprint, done[index].ids) == same
                and (recorded := ShardSources.read(folder.sources_path(index)))
                and recorded.facts == digest_of_facts(samples)
            ):
                unchanged.add(index)
        for index in {*folder.begun()} - unchanged:
            # With all its files: another shard may write files of the same names.
            folder.forget(index)
            folder.remove(folder.written(index))
            folder.settle(index)
            folder.remove(f"{STATE}/shards/{index:06}.{suffix}" for suffix in ("jsonl", "left", "sources"))
        log.warning("%d of %d shards are processed again", len(done) - len(unchanged), len(done))
        # The final files hold copies of label files.
        folder.write("finished.json", {**(folder.read("finished.json") or {}), "stats": None})
        folder.remove([f"{STATE}/listing.json"])
        _write_labels(folder, label_files(dataset, root))


def changed_sources(folder: RunDir, base: Path, shards: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    """(index, first changed source) of each shard with a change; None as source if the record is damaged."""
    warned = False
    for index in () if is_remote(base) else shards:
        recorded = ShardSources.read(folder.sources_path(index))
        if recorded is None:
            yield index, None
            continue
        now = {place: stamp(base / from_text(place)) for place in recorded.stamps}
        if now == recorded.stamps:
            continue
        if not warned:
            log.warning("the times of sources have changed; their contents are compared")
            warned = True
        sources, files = _source_sha256s(folder.rows_path(index)), SourceFiles(base)
        changed = (
            place
            for place, current in now.items()
            if current != recorded.stamps[place]
            # No row names a tar, and the labels in it may have changed too.
            and (place not in sources or sources[place] not in (_FAILED, files.sha256(place)))
        )
        if (first := next(changed, None)) is not None:
            yield index, first
        else:
            write_atomic(folder.sources_path(index), ShardSources(recorded.facts, now).as_json())


def _source_sha256s(rows: Path) -> dict[str, str | None]:
    """Path -> sha256 of each source in a shard's rows; `_FAILED` for a failed input."""
    sha256s: dict[str, str | None] = {}
    try:
        with open_lines(rows) as lines:
            for row in map(from_json, lines):
                failed = row["status"] in ("unreadable", "error")
                sha256s[row["source"]["path"]] = _FAILED if failed else row["source"]["sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return sha256s


def _changed_labels(folder: RunDir, labels: Mapping[str, Path]) -> list[str]:
    """Names of the label files that have changed since the run began; the first call records them."""
    recorded = folder.read("labels.json")
    if recorded is None:
        _write_labels(folder, labels)
        return []

    def changed(name: str) -> bool:
        before, sha256 = recorded.get(name) or (None, None)
        path = labels.get(name)
        if path is None:
            return True
        return (before is None or before != stamp(path)) and sha256 != file_sha256(path)

    return sorted(filter(changed, {*recorded, *labels}))


def _write_labels(folder: RunDir, labels: Mapping[str, Path]) -> None:
    """Record the current label files: the stamp and sha256 of each."""
    folder.write("labels.json", {name: [stamp(path), file_sha256(path)] for name, path in labels.items()})


def _sources_folder(config: Mapping[str, Any], root: Path) -> Path:
    """The base folder of the sources' relative paths."""
    return folder_of(location(config["image_root"]) if "image_root" in config else root)
