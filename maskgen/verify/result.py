"""Verify a result against its manifest and run record: nothing missing, changed or added.

The check computes the sha256 of every image, measures every alpha and counts every row. It reads rows one at
a time and checks them in batches. An 8-byte hash of each file name is kept to find files that no row names.
"""

import hashlib
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from maskgen.datasets import DATASETS
from maskgen.errors import ConfigurationError
from maskgen.files.checksum import file_sha256
from maskgen.files.path_text import from_text
from maskgen.files.remote import is_remote, open_lines
from maskgen.files.safe_paths import follows_links
from maskgen.files.tar import folder_of
from maskgen.records import ManifestRow
from maskgen.results.counts import Counts, RowCounter
from maskgen.results.huggingface import metadata_tables, write_metadata
from maskgen.results.layout import OWN_FILES
from maskgen.results.manifest import row_from_json
from maskgen.results.reader import listed_files, tar_of
from maskgen.results.run_record import fingerprint, read_record
from maskgen.run.executors.executor import LostWorkersError, run_tasks
from maskgen.run.remote_run_dir import run_folder
from maskgen.verify.rows import Batch, Finding, check_batch, named_in

_BATCH = 256  # rows of loose files; the rows of a tar form one batch


@dataclass
class Verification:
    """The counts of a verification.

    Attributes:
        rows: Lines of the manifest.
        files: Images and alphas read.
        alphas: Alphas measured.
        kinds: Kind -> number of findings.
    """

    rows: int = 0
    files: int = 0
    alphas: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        """Whether there are no findings."""
        return not self.kinds

    def as_dict(self) -> dict[str, Any]:
        """The counts as JSON values."""
        kinds = {kind: self.kinds[kind] for kind in ("missing", "changed", "extra", "contradicted")}
        return {"ok": self.ok, "rows": self.rows, "files": self.files, "alphas": self.alphas, **kinds}


class Verifier:
    """Verifies one result.

    Args:
        out: An output folder of `maskgen synth`.
        landmarks: The landmark file of the run, for exact coverage; None approximates it.
        sources: The root of the dataset, to check the sources too; None skips them.
        labels: Compare each row with what its image shows; needs the landmark models.

    Raises:
        MissingDataError: There is no finished result.
        ConfigurationError: The run record is invalid.
    """

    def __init__(
        self, out: Path, landmarks: Path | None = None, sources: Path | None = None, labels: bool = False
    ) -> None:
        self._out, self._landmarks, self._labels = out, landmarks, labels
        self._sources = folder_of(sources) if sources else None
        self._record = read_record(out)
        options = self._record.get("options")
        self._options: Mapping[str, Any] = options if isinstance(options, dict) else {}
        self._packed = self._options.get("layout") == "webdataset"
        self._folder = run_folder(out)
        self._names: set[bytes] = set()
        self._ids: set[bytes] = set()
        self._counts = Counts()
        # Lines that are no rows; with several workers, joblib reads the manifest in another thread.
        self._damaged_lines: deque[Finding] = deque()
        self.result = Verification()

    def run(self, workers: int = 1, progress: bool = False) -> Iterator[Finding]:
        """Yield every difference; `result` is complete at the end.

        With ``progress``, a bar on stderr counts rows and differences if that is a terminal.
        """
        from tqdm import tqdm

        total = (self._record.get("counts") or {}).get("rows")
        hidden = not (progress and sys.stderr.isatty())
        with tqdm(total=total, unit="row", file=sys.stderr, disable=hidden) as bar:
            for finding in self._all(workers, lambda: bar.update(self.result.rows - bar.n)):
                self.result.kinds[finding.kind] += 1
                bar.set_postfix(self.result.kinds, refresh=False)
                yield finding

    def _all(self, workers: int, advance: Callable[[], object]) -> Iterator[Finding]:
        if not isinstance(self._record.get("options"), dict):
            yield Finding("changed", "maskgen.json", "it has no options")
        elif fingerprint(self._options) != self._record.get("fingerprint"):
            yield Finding("changed", "maskgen.json", "its options are not those of its fingerprint")
        templates = frozenset((self._record.get("templates") or {}).values())
        settings = (self._landmarks, self._sources, follows_links(), self._labels)
        check = partial(check_batch, self._out, self._packed, templates, *settings)
        try:
            for findings, files, alphas in run_tasks(check, self._batches(), workers=workers):
                yield from findings
                self.result.files += files
                self.result.alphas += alphas
                advance()
        except LostWorkersError as error:
            raise ConfigurationError("a worker process died; try again with fewer (-j)") from error
        yield from self._damaged_lines
        yield from self._check_shards()
        yield from self._check_counts()
        yield from self._check_extra()
        yield from self._check_metadata()

    def _batches(self) -> Iterator[Batch]:
        rows: list[ManifestRow] = []
        tar: str | None = None
        for row in self._rows():
            row_tar = tar_of(row.file_name) if self._packed and row.file_name else tar
            if rows and (row_tar != tar if self._packed else len(rows) >= _BATCH):
                yield self._batch(rows, tar)
                rows = []
            rows.append(row)
            tar = row_tar
        if rows:
            yield self._batch(rows, tar)

    def _batch(self, rows: list[ManifestRow], tar: str | None) -> Batch:
        counter = RowCounter(self._options.get("label") is not None)
        for row in rows:
            counter.add(row)
        self._counts = Counts.total((self._counts, counter.counts()))
        self._ids.update(_short_hash(f"{row.variant} {row.id}") for row in rows)
        names = [tar] if tar else [name for row in rows for name in named_in(row)]
        self._names.update(map(_short_hash, names))
        return rows, tar

    def _rows(self) -> Iterator[ManifestRow]:
        with open_lines(self._out / "manifest.jsonl") as lines:
            for line in lines:
                self.result.rows += 1
                try:
                    yield row_from_json(line.decode())
                except (ConfigurationError, UnicodeDecodeError) as error:
                    where = f"manifest.jsonl, line {self.result.rows}"
                    self._damaged_lines.append(Finding("changed", where, str(error)))

    def _check_shards(self) -> Iterator[Finding]:
        """Compare the manifest's lines with the hashes in each shard's stats, if ``.maskgen`` exists."""
        done = self._folder.done().values()
        with open_lines(self._out / "manifest.jsonl") as lines:
            for stats in done:
                own = [line for _, line in zip(range(stats.counts.rows), lines, strict=False)]
                if len(own) < stats.counts.rows:
                    what = f"rows up to {stats.last} and behind are gone"
                    yield Finding("missing", "manifest.jsonl", what)
                    return
                if hashlib.sha256(b"".join(own)).hexdigest() != stats.rows_sha256:
                    what = f"rows from {stats.first} to {stats.last} are not those the run wrote"
                    yield Finding("changed", "manifest.jsonl", what)
            if done and next(lines, None) is not None:
                yield Finding("changed", "manifest.jsonl", "it has more rows than the run wrote")

    def _check_counts(self) -> Iterator[Finding]:
        recorded, counts = self._record.get("counts") or {}, self._counts.as_dict()
        for name, value in counts.items():
            # The rows do not tell the number of shards.
            if name != "shards" and recorded.get(name) != value:
                what = f"counts: {name} is {recorded.get(name)}, the rows make {value}"
                yield Finding("changed", "maskgen.json", what)
        if duplicates := self._counts.rows - len(self._ids):
            yield Finding("changed", "manifest.jsonl", f"{duplicates} inputs and variants have two rows")

    def _check_extra(self) -> Iterator[Finding]:
        copies = self._copies()
        for name in copies:
            if not (self._out / from_text(name)).exists():
                yield Finding("missing", name, "the copy of the source's own file is gone")
        layout = str(self._options.get("layout"))
        own = {*copies, *OWN_FILES, *metadata_tables(self._out, layout)}
        for name in listed_files(self._out):
            if name not in own and _short_hash(name) not in self._names:
                yield Finding("extra", name, "no row names it")

    def _copies(self) -> set[str]:
        """The label files that a run with ``--layout mirror`` copies from the source."""
        if files := self._folder.final_files():
            return {name for name in files if name.rpartition("/")[2] not in OWN_FILES}
        dataset = DATASETS.get(str(self._options.get("dataset")))
        if dataset is None or self._options.get("layout") != "mirror" or is_remote(self._out):
            return set()
        variants = self._options.get("variants", 1)
        tops = [f"variant-{n}/" for n in range(variants)] if variants > 1 else [""]
        return {f"{top}{path.as_posix()}" for top in tops for path in dataset.annotations(self._out / top)}

    def _check_metadata(self) -> Iterator[Finding]:
        layout = str(self._options.get("layout"))
        if self._packed or is_remote(self._out):
            return
        with tempfile.TemporaryDirectory(prefix="maskgen-") as scratch:
            Path(scratch, "manifest.jsonl").symlink_to((self._out / "manifest.jsonl").resolve())
            try:
                tables = write_metadata(Path(scratch), layout)
            except ConfigurationError:
                return  # the line has a finding already
            for table in tables:
                name = table.relative_to(scratch).as_posix()
                if not (self._out / name).is_file():
                    yield Finding("missing", name, "what Hugging Face's ImageFolder reads; it is gone")
                elif file_sha256(self._out / name) != file_sha256(table):
                    yield Finding("changed", name, "it no longer is what the manifest gives")


def _short_hash(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
