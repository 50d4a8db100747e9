"""Check that a run can resume: same configuration, unchanged dataset; drop shards that have changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maskgen.datasets import FaceDataset
from maskgen.errors import ConfigurationError
from maskgen.files.remote import exists, location
from maskgen.files.tar import folder_of
from maskgen.options import SynthOptions
from maskgen.results.run_record import fingerprint
from maskgen.run.shard_list import ShardList, cut, label_files, list_samples
from maskgen.run.source_changes import changed_labels, changed_sources, has_changed, write_labels
from maskgen.run.state.output_claim import check_claim, locked
from maskgen.run.state.run_dir import STATE, RunDir
from maskgen.run.state.shard_stats import ShardStats, digest

log = logging.getLogger("maskgen")


def numbers_of(shards: Iterable[int]) -> str:
    """The first twenty of these shard numbers, as text."""
    numbers = list(map(str, shards))
    return ", ".join(numbers[:20]) + (", ..." if len(numbers) > 20 else "")


def check_fingerprints(folder: RunDir, done: Mapping[int, ShardStats], config: Mapping[str, Any]) -> None:
    """Check that every finished shard has the run's configuration.

    Raises:
        ConfigurationError: Some have another one; the message names them.
    """
    own = fingerprint(config)
    foreign = [index for index, stats in sorted(done.items()) if stats.fingerprint != own]
    if foreign:
        raise ConfigurationError(
            f"shards {numbers_of(foreign)} of {folder.out} were made with another configuration than its "
            "config.json says; redo them with --accept-changes, or the whole run with --overwrite"
        )


def forget_failed(folder: RunDir) -> None:
    """Mark the shards with unreadable inputs or errors as not done."""
    for stats in folder.done().values():
        if stats.counts.failed:
            folder.forget(stats.index)


def check_unchanged(
    folder: RunDir, config: Mapping[str, Any], listing: ShardList, dataset: FaceDataset, root: Path
) -> None:
    """Check that the run can resume; a dataset that no longer exists is not checked.

    A shard of this share whose record of sources is damaged is removed from the list of finished shards.

    Raises:
        ConfigurationError: Shards have another configuration, or label files or sources have changed.
    """
    check_fingerprints(folder, listing.done, config)
    if not ((dataset.files or exists(root)) and dataset.holds(root)):
        return
    changes = [f"label file {name}" for name in changed_labels(folder, label_files(dataset, root))]
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
                and not has_changed(folder, index, samples)
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
        write_labels(folder, label_files(dataset, root))


def _sources_folder(config: Mapping[str, Any], root: Path) -> Path:
    """The base folder of the sources' relative paths."""
    return folder_of(location(config["image_root"]) if "image_root" in config else root)
