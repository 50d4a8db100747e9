"""A run whose source or output is in an object store.

A shard's images are fetched into a local folder, many at once, and what is made of them is uploaded from
one: the network is waited for once a shard, not once an image. A kill leaves these folders to the system's
own care for temporary files.

The store of an output holds what a local output folder would, ``.maskgen`` included but for its scratch
folder. A shard's rows are uploaded before its images, so that the next run knows the names of whatever a
killed one left, and its stats after them: the shard is done if and only if they are there. That needs no
rename, and not even uploads that are all or nothing: what is cut short belongs to a shard that is not done,
and is written again.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from maskgen.errors import UsageError
from maskgen.files.atomic import write_atomic
from maskgen.files.path_text import from_text, to_text
from maskgen.files.remote import exists, get_each, is_remote, names_in, put, put_each, remove_each
from maskgen.limits import MAX_BYTES
from maskgen.records import Sample
from maskgen.run.pipeline import ShardTask
from maskgen.run.shard import mask_shard
from maskgen.run.source_changes import ShardSources
from maskgen.run.state.run_dir import STATE, RunDir, Shard
from maskgen.run.state.shard_stats import ShardStats

_OWN_TAR = re.compile(r"^(shards/\d{6,}\.tar)/.*", re.DOTALL)


def run_folder(out: Path, sync: bool = True) -> RunDir:
    """The state of the run that writes into ``out``, wherever that is.

    Args:
        out: The output.
        sync: As for `RunDir`; a store has no need of it.

    Raises:
        ConfigurationError: It is in a store that does not answer.
        UsageError: Its URL has a character that fsspec takes for a pattern.
    """
    if not is_remote(out):
        return RunDir(out, sync)
    if strange := set("*?[]") & set(str(out)):
        raise UsageError(f"{out}: fsspec takes {min(strange)!r} for a part of a pattern; give another --out")
    exists(out)
    return RemoteRunDir(out)


class RemoteRunDir(RunDir):
    """The state of a run whose output is in a store."""

    def make_folders(self) -> None:
        """Nothing: a store makes a folder with the first file in it."""

    def sync_files(self, names: Iterable[str]) -> None:
        """Nothing: a store takes what is uploaded for good."""

    def forget(self, *indexes: int) -> None:
        """Say that shards are not done after all."""
        remove_each(map(self.stats_path, indexes))

    def settle(self, index: int) -> list[str]:
        """Nothing: unfinished files are local to the process that makes them, and so are its notes."""
        return []

    def take(self, made: RunDir, index: int) -> None:
        """Upload a shard.

        Args:
            made: A local folder with this shard alone, done.
            index: Which one.
        """
        files = {
            path: path.relative_to(made.out).as_posix() for path in made.out.rglob("*") if path.is_file()
        }
        outputs = {
            path: self._place(name) for path, name in files.items() if not name.startswith(f"{STATE}/")
        }
        earlier, named = self.written(index), made.written(index)
        if earlier - named:
            # The rows that name them are about to be replaced.
            left = json.dumps(sorted(earlier | named)).encode()
            write_atomic(self._left_path(index), left)
        put(made.rows_path(index), self.rows_path(index))
        state = {each(made, index): each(self, index) for each in (RunDir.sources_path, RunDir.files_path)}
        put_each({**outputs, **state})
        self._unlink(self._files(earlier - named) - self._files(named))
        remove_each([self._left_path(index)])
        put(made.stats_path(index), self.stats_path(index))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of this run, by their names in the manifest."""
        self._unlink(self._files(names))

    def _unlink(self, files: Iterable[str]) -> None:
        remove_each([self.out / file for file in sorted(files)])

    def _files(self, names: Iterable[str]) -> set[str]:
        """The files of these names in the manifest; a member of one of the run's own tars is in that tar."""
        return {_OWN_TAR.sub(r"\1", from_text(name)) for name in names}

    def _place(self, name: str) -> Path:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{to_text(name)} is no valid UTF-8 and cannot be a name in {self.out}; rename the source"
            ) from error
        return self.out / name

    def _names(self, below: str) -> list[str]:
        return names_in(self.folder / below)


@contextmanager
def fetched(samples: Sequence[Sample]) -> Iterator[tuple[Sample, ...]]:
    """The samples, with copies of those images that are in a store for as long as the block lasts."""
    paths = list(dict.fromkeys(sample.path for sample in samples if is_remote(sample.path)))
    if not paths:
        yield tuple(samples)
        return
    with tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
        copies = dict(zip(paths, get_each(paths, Path(folder), MAX_BYTES), strict=True))
        yield tuple(replace(sample, path=copies.get(sample.path, sample.path)) for sample in samples)


def mask_stored_shard(task: ShardTask, shard: Shard) -> ShardStats:
    """What `mask_shard` does, where the source or the output is in a store."""
    sources = ShardSources.of(shard.samples)
    with fetched(shard.samples) as samples, tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
        shard = replace(shard, samples=samples)
        if not is_remote(task.out):
            return mask_shard(task, shard, sources)
        made = RunDir(Path(folder))
        stats = mask_shard(replace(task, out=made.out, sync=False), shard, sources)
        RemoteRunDir(task.out).take(made, shard.index)
    return stats
