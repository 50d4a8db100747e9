"""The shard list of a run: its samples split into shards, and which shards are pending."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from maskgen.datasets import FaceDataset
from maskgen.datasets.base import warn_of_lacks
from maskgen.errors import ConfigurationError, MissingDataError
from maskgen.files.image_files import archive_hint
from maskgen.files.json_text import from_json
from maskgen.files.remote import is_remote
from maskgen.options import SynthOptions
from maskgen.records import Sample
from maskgen.results.counts import Counts
from maskgen.run.state.run_dir import RunDir, Shard
from maskgen.run.state.shard_records import ShardStats, changed_file, digest

# Shards checked in parallel: with cold caches most of the time is I/O wait.
_THREADS = 8

log = logging.getLogger("maskgen")


def list_samples(options: SynthOptions, dataset: FaceDataset, root: Path) -> Iterator[Sample]:
    """The samples that ``--split`` and ``--limit`` select, one at a time.

    Raises:
        MissingDataError: There are none.
    """
    samples: Iterable[Sample] = dataset.samples(root)
    if options.splits:
        samples = (sample for sample in samples if sample.split in options.splits)
    is_empty = options.limit != 0
    for sample in warn_of_lacks(dataset, islice(samples, options.limit)):
        is_empty = False
        yield sample
    if is_empty:
        splits = f" in the split {' or '.join(options.splits)}" if options.splits else ""
        where = ""
        if splits and "split" in dataset.always:
            where = f"; splits are read from {dataset.always['split']}"
        hint = archive_hint(root)
        raise MissingDataError(
            f"{root} holds no image of {dataset.title}{splits}{where}. {hint}".rstrip(". ")
        )


def label_files(dataset: FaceDataset, root: Path) -> dict[str, Path]:
    """Name -> path of each label file of a dataset; the root of a table is the table itself."""
    base = root if root.is_dir() else root.parent
    return {path.as_posix(): base / path for path in dataset.annotations(root)}


def cut(samples: Iterator[Sample], size: int) -> Iterator[tuple[Sample, ...]]:
    """Tuples of ``size`` samples; the last may be shorter."""
    while shard := tuple(islice(samples, size)):
        yield shard


class ShardList:
    """The samples of a run in shards: which are done, under way and pending.

    After the first complete listing, the run directory holds the number of shards: a finished run is
    recognized without a listing.

    Attributes:
        options: The options of the run.
        dataset: The adapter that lists the samples.
        root: The dataset's folder or file.
        folder: The run directory.
        done: Index -> stats of the finished, undamaged shards, in no order.
        damaged: The finished shards of this share whose files have changed.
        under_way: Index -> shard of those that workers have and that are not done.
        samples: The number of samples; None before the first complete listing.
    """

    def __init__(
        self,
        options: SynthOptions,
        dataset: FaceDataset,
        root: Path,
        folder: RunDir,
        share: tuple[int, int] = (1, 1),
    ) -> None:
        self.options, self.dataset, self.root, self.folder = options, dataset, root, folder
        self._share, self.done = share, folder.done()
        self.damaged: list[int] = []
        for index, reason in _damaged_shards(folder, [self.done[index] for index in self.own_done()]):
            del self.done[index]
            self.damaged.append(index)
            if len(self.damaged) <= 10:
                log.warning("shard %d counts as not done: %s", index, reason)
        if len(self.damaged) > 10:
            log.warning("%d more shards count as not done for similar reasons", len(self.damaged) - 10)
        self.under_way: dict[int, Shard] = {}
        listing = folder.read("listing.json") or {}
        shards, samples = listing.get("shards"), listing.get("samples")
        is_whole = type(shards) is int and type(samples) is int
        self._shards, self.samples = (shards, samples) if is_whole else (None, None)

    def missing(self) -> list[int] | None:
        """The shards of this share that are not done; None before the first complete listing."""
        if self._shards is None:
            return None
        return [index for index in range(self._shards) if index not in self.done and self._is_own(index)]

    def counts(self) -> Counts:
        """Counts over all finished shards."""
        return Counts.total(stats.counts for stats in self.done.values())

    def own_done(self) -> list[int]:
        """The finished shards of this share."""
        return sorted(filter(self._is_own, self.done))

    def forget(self, index: int) -> None:
        """Mark a shard as not done."""
        self.folder.forget(index)
        del self.done[index]

    def finished(self, stats: ShardStats) -> None:
        """Mark a shard as done."""
        self.done[stats.index] = stats
        self.under_way.pop(stats.index, None)

    def to_do(self) -> Iterator[Shard]:
        """The pending shards of this share, while the dataset is listed.

        Raises:
            ConfigurationError: The dataset lists other samples than the finished shards have.
            MissingDataError: The dataset holds no sample.
        """
        samples = shards = 0
        waiting: Shard | None = None
        listed = list_samples(self.options, self.dataset, self.root)
        for index, members in enumerate(cut(listed, self.options.shard_size)):
            samples, shards = samples + len(members), index + 1
            stats = self.done.get(index)
            if stats and stats.ids != digest(sample.id for sample in members):
                then, now = f"{stats.first} to {stats.last}", f"{members[0].id} to {members[-1].id}"
                raise self._changed(f"shard {index} went from {then} and now goes from {now}")
            if stats is None and self._is_own(index):
                if waiting is not None:
                    yield self.under_way.setdefault(waiting.index, waiting)
                waiting = Shard(index, members)
        if beyond := [index for index in self.done if index >= shards]:
            raise self._changed(f"{shards} shards now, shard {beyond[0]} is done")
        if self.samples not in (None, samples):
            raise self._changed(f"{self.samples} images then, {samples} now")
        self._shards, self.samples = shards, samples
        self.folder.write("listing.json", {"shards": shards, "samples": samples})
        # The last shard waits for the listing: when it is done, the run is recognized as done.
        if waiting is not None:
            yield self.under_way.setdefault(waiting.index, waiting)

    def _is_own(self, index: int) -> bool:
        share, shares = self._share
        return index % shares == share - 1

    def _changed(self, how: str) -> ConfigurationError:
        return ConfigurationError(
            f"the images in {self.root} have changed since {self.folder.out} was begun ({how}); "
            "redo the changes with --accept-changes, or the whole run with --overwrite"
        )


def _damaged_shards(folder: RunDir, done: Iterable[ShardStats]) -> Iterator[tuple[int, str]]:
    """(index, damage in words) of each finished shard whose files have changed.

    In a store only the rows and the list of files are checked: the size of each file would take a request.
    """
    shards = list(done)
    with ThreadPoolExecutor(_THREADS) as pool:
        reasons = pool.map(lambda stats: _damage(folder, stats), shards)
        yield from ((stats.index, reason) for stats, reason in zip(shards, reasons, strict=True) if reason)


def _damage(folder: RunDir, stats: ShardStats) -> str | None:
    hashes = {
        folder.rows_path(stats.index): stats.rows_sha256,
        folder.files_path(stats.index): stats.files_sha256,
    }
    for path, sha256 in hashes.items():
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return f"{path.name} is missing"
        except OSError as error:
            return f"{path.name} cannot be read: {error}"
        if hashlib.sha256(data).hexdigest() != sha256:
            return f"{path.name} is damaged"
    return None if is_remote(folder.out) else changed_file(folder.out, from_json(data))
