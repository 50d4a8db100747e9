"""The samples of a run, cut into shards, and which of these are still to be done."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from maskgen.datasets import FaceDataset
from maskgen.datasets.completeness import warn_of_lacks
from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.files.image_files import archive_hint
from maskgen.options import SynthOptions
from maskgen.records import Sample
from maskgen.results.counts import Counts
from maskgen.run.state.run_dir import RunDir, Shard
from maskgen.run.state.shard_check import damaged_shards
from maskgen.run.state.shard_stats import ShardStats, digest

# How many damaged shards are named.
_NAMED = 10

log = logging.getLogger("maskgen")


def list_samples(options: SynthOptions, dataset: FaceDataset, root: Path) -> Iterator[Sample]:
    """The samples that ``--split`` and ``--limit`` leave, one at a time.

    Raises:
        MissingDataError: There is none.
    """
    samples: Iterable[Sample] = dataset.samples(root)
    if options.splits:
        samples = (sample for sample in samples if sample.split in options.splits)
    empty = options.limit != 0
    for sample in warn_of_lacks(dataset, islice(samples, options.limit)):
        empty = False
        yield sample
    if empty:
        of_splits = f" in the split {' or '.join(options.splits)}" if options.splits else ""
        where = (
            f"; splits are read from {dataset.always['split']}"
            if of_splits and "split" in dataset.always
            else ""
        )
        hint = archive_hint(root)
        raise MissingDataError(
            f"{root} holds no image of {dataset.title}{of_splits}{where}. {hint}".rstrip(". ")
        )


def label_files(dataset: FaceDataset, root: Path) -> dict[str, Path]:
    """Name -> path of each label file of a dataset; a table is a root of its own."""
    base = root if root.is_dir() else root.parent
    return {path.as_posix(): base / path for path in dataset.annotations(root)}


def cut(samples: Iterator[Sample], size: int) -> Iterator[tuple[Sample, ...]]:
    """Tuples of ``size`` samples; the last may be shorter."""
    while shard := tuple(islice(samples, size)):
        yield shard


class ShardList:
    """Hands out the shards that are not done, and keeps account of them.

    Once the dataset has been listed to its end, the run remembers how many shards that makes, and a
    run that is done is known to be without listing the dataset again.

    Attributes:
        done: The shards that are done and undamaged, in no order.
        damaged: Those of this share that were done and whose files are no longer what they were, by index.
        under_way: Those handed out and not done, by index.
        samples: How many samples there are, or None while that is not known.
    """

    def __init__(
        self,
        options: SynthOptions,
        dataset: FaceDataset,
        root: Path,
        folder: RunDir,
        share: tuple[int, int] = (1, 1),
    ):
        self._options, self._dataset, self._root, self._folder = options, dataset, root, folder
        self._share = share
        self.done = folder.done()
        ours = [stats for stats in self.done.values() if self._is_ours(stats.index)]
        self.damaged = {index: self.done.pop(index) for index in self._damaged(ours)}
        self.under_way: dict[int, Shard] = {}
        self._shards, self.samples = _known(folder.read("listing.json"))

    def _damaged(self, done: Iterable[ShardStats]) -> list[int]:
        """The damaged among these shards; a warning says why each is."""
        found: list[int] = []
        for index, reason in damaged_shards(self._folder, done):
            found.append(index)
            if len(found) <= _NAMED:
                log.warning("shard %d counts as not done: %s", index, reason)
        if len(found) > _NAMED:
            log.warning("%d more shards count as not done for such reasons", len(found) - _NAMED)
        return found

    def missing(self, every_share: bool = False) -> list[int] | None:
        """The shards that are not done, of this share or of all; None while that is not known."""
        if self._shards is None:
            return None
        indexes = range(self._shards)
        return [i for i in indexes if i not in self.done and (every_share or self._is_ours(i))]

    def counts(self) -> Counts:
        """Over all shards that are done."""
        return Counts.total(stats.counts for stats in self.done.values())

    def own_done(self) -> list[int]:
        """The shards of this share that are done."""
        return sorted(filter(self._is_ours, self.done))

    def forget(self, index: int) -> None:
        """Say that a shard is not done after all."""
        self._folder.forget(index)
        del self.done[index]

    def finished(self, stats: ShardStats) -> None:
        """Take note that a shard is done."""
        self.done[stats.index] = stats
        self.under_way.pop(stats.index, None)

    def to_do(self) -> Iterator[Shard]:
        """The shards of this share that are not done, as the dataset is listed.

        Raises:
            ConfigurationError: The dataset no longer lists what it did when its first shards were done.
            MissingDataError: It holds no sample.
        """
        samples = shards = 0
        waiting: Shard | None = None
        listed = list_samples(self._options, self._dataset, self._root)
        for index, members in enumerate(cut(listed, self._options.shard_size)):
            samples, shards = samples + len(members), index + 1
            if index in self.done:
                self._check(self.done[index], members)
            elif self._is_ours(index):
                if waiting is not None:
                    yield self._hand_out(waiting)
                waiting = Shard(index, members)
        self._keep(shards, samples)
        # The last one waits until the listing is kept, so that when it is done the run is known to be.
        if waiting is not None:
            yield self._hand_out(waiting)

    def _is_ours(self, index: int) -> bool:
        share, shares = self._share
        return index % shares == share - 1

    def _hand_out(self, shard: Shard) -> Shard:
        self.under_way[shard.index] = shard
        return shard

    def _check(self, stats: ShardStats, members: tuple[Sample, ...]) -> None:
        if stats.ids != digest(sample.id for sample in members):
            raise self._changed(
                f"shard {stats.index} went from {stats.first} to {stats.last} and now goes "
                f"from {members[0].id} to {members[-1].id}"
            )

    def _keep(self, shards: int, samples: int) -> None:
        if beyond := [index for index in self.done if index >= shards]:
            raise self._changed(f"{shards} shards now, shard {beyond[0]} is done")
        if self.samples not in (None, samples):
            raise self._changed(f"{self.samples} images then, {samples} now")
        self._shards, self.samples = shards, samples
        self._folder.write("listing.json", {"shards": shards, "samples": samples})

    def _changed(self, how: str) -> ConfigurationError:
        return ConfigurationError(
            f"the images in {self._root} are others than when {self._folder.out} was begun ({how}); "
            "do again what changed with --accept-changes, or the whole run with --overwrite"
        )


def _known(listing: Mapping[str, Any] | None) -> tuple[int | None, int | None]:
    """Shards and samples in ``listing.json``; None for both if it is not there or damaged."""
    shards, samples = ((listing or {}).get(name) for name in ("shards", "samples"))
    return (shards, samples) if type(shards) is int and type(samples) is int else (None, None)
