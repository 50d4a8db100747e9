"""Runs whose source or output is in an object store.

The images of a shard are fetched into a temporary local folder, many at once, and its results are uploaded
from another one: the network latency is paid once a shard, not once an image.

The store holds the same files as a local output folder, but no scratch folder. A shard's rows are uploaded
before its images, which tells the next run the names of a killed run's files. Its stats are uploaded last:
the shard is done if and only if they exist. This needs neither renames nor atomic uploads: a truncated file
belongs to an unfinished shard and is written again.
"""

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
from maskgen.run.state.run_dir import STATE, RunDir, Shard
from maskgen.run.state.shard_records import ShardSources, ShardStats

_OWN_TAR = re.compile(r"^(shards/\d{6,}\.tar)/.*", re.DOTALL)


def run_folder(out: Path, sync: bool = True) -> RunDir:
    """The run directory of a local or remote output; ``sync`` as for `RunDir`, and ignored for a store.

    Raises:
        ConfigurationError: The store does not answer.
        UsageError: The URL holds a wildcard character of fsspec.
    """
    if not is_remote(out):
        return RunDir(out, sync)
    if wildcards := set("*?[]") & set(str(out)):
        raise UsageError(f"{out}: {min(wildcards)!r} is a wildcard of fsspec; give another --out")
    exists(out)
    return RemoteRunDir(out)


class RemoteRunDir(RunDir):
    """The run directory of an output in an object store."""

    def make_folders(self) -> None:
        """Do nothing: a store has no empty folders."""

    def sync_files(self, names: Iterable[str]) -> None:
        """Do nothing: uploads are durable."""

    def forget(self, *indexes: int) -> None:
        """Mark shards as not done."""
        remove_each(map(self.stats_path, indexes))

    def settle(self, index: int) -> list[str]:
        """Do nothing: unfinished files and notes are local to the process that writes them."""
        return []

    def upload_shard(self, local: RunDir, index: int) -> None:
        """Upload a shard from a local run directory that holds only this shard, done."""
        files = [path for path in local.out.rglob("*") if path.is_file()]
        names = {path: path.relative_to(local.out).as_posix() for path in files}
        outputs = {
            path: self._upload_path(name) for path, name in names.items() if not name.startswith(f"{STATE}/")
        }
        earlier, current = self.written(index), local.written(index)
        if earlier - current:
            # The upload replaces the rows that name the earlier files.
            write_atomic(self._shard_file(index, "left"), json.dumps(sorted(earlier | current)).encode())
        put(local.rows_path(index), self.rows_path(index))
        state = {each(local, index): each(self, index) for each in (RunDir.sources_path, RunDir.files_path)}
        put_each({**outputs, **state})
        self._unlink(self._files(earlier - current) - self._files(current))
        remove_each([self._shard_file(index, "left")])
        put(local.stats_path(index), self.stats_path(index))

    def _unlink(self, files: Iterable[str]) -> None:
        remove_each([self.out / file for file in sorted(files)])

    def _files(self, names: Iterable[str]) -> set[str]:
        """The files of names in the manifest; for a member of one of the run's tars, the tar."""
        return {_OWN_TAR.sub(r"\1", from_text(name)) for name in names}

    def _upload_path(self, name: str) -> Path:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{to_text(name)} is not valid UTF-8 and cannot be a name in {self.out}; rename the source"
            ) from error
        return self.out / name

    def _names(self, below: str) -> list[str]:
        return names_in(self.folder / below)


@contextmanager
def fetched(samples: Sequence[Sample]) -> Iterator[tuple[Sample, ...]]:
    """The samples, with local copies of remote images inside the block."""
    paths = list(dict.fromkeys(sample.path for sample in samples if is_remote(sample.path)))
    if not paths:
        yield tuple(samples)
        return
    with tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
        copies = dict(zip(paths, get_each(paths, Path(folder), MAX_BYTES), strict=True))
        yield tuple(replace(sample, path=copies.get(sample.path, sample.path)) for sample in samples)


def mask_stored_shard(task: ShardTask, shard: Shard) -> ShardStats:
    """`mask_shard` for a source or an output in an object store."""
    sources = ShardSources.of(shard.samples)
    with fetched(shard.samples) as samples, tempfile.TemporaryDirectory(prefix="maskgen-") as folder:
        shard = replace(shard, samples=samples)
        if not is_remote(task.out):
            return mask_shard(task, shard, sources)
        local = RunDir(Path(folder))
        stats = mask_shard(replace(task, out=local.out, sync=False), shard, sources)
        RemoteRunDir(task.out).upload_shard(local, shard.index)
    return stats
