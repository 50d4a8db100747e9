"""Write the final files of a finished run: manifest, metadata, run record, card and contact sheet."""

import hashlib
import json
import logging
import re
import shlex
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskgen.datasets import FaceDataset
from maskgen.files.atomic import open_atomic, write_atomic
from maskgen.files.path_text import from_text, to_text
from maskgen.files.redaction import public_path
from maskgen.files.remote import is_remote
from maskgen.options import SynthOptions
from maskgen.results.counts import Counts
from maskgen.results.huggingface import metadata_tables, write_metadata
from maskgen.results.layout import OWN_FILES
from maskgen.results.run_record import run_record
from maskgen.run.shard_list import ShardList, label_files
from maskgen.run.state.run_dir import STATE
from maskgen.run.state.shard_records import changed_file, spot_checksums

Report = Callable[[Path], Any]

# Attributes of the dataset that go into the run record.
_FACTS = ("name", "title", "homepage", "licence", "forbids", "citation")

log = logging.getLogger("maskgen")

_LEFTOVER = re.compile(r"\.maskgen-[0-9a-f]{16}")


def finalize(listing: ShardList, config: Mapping[str, Any], report: Report | None) -> None:
    """Write the final files of a run, unless they already exist and were made from the same shards.

    ``report`` writes the dataset card and contact sheet from the other files.
    """
    folder, options, dataset = listing.folder, listing.options, listing.dataset
    out, stats = folder.out, dict(sorted(listing.done.items()))
    state = hashlib.sha256()
    for shard in stats.values():
        state.update(f"{shard.index} {shard.rows_sha256} {shard.processor}\n".encode())
    before, written = folder.read("finished.json") or {}, folder.final_files()
    if before.get("stats") == state.hexdigest() and (before.get("report") or report is None):
        damage = changed_file(out, written)
        if damage is None:
            return
        log.warning("the final files are written again: %s", damage)
    copies = _copies(options, dataset, listing.root)
    tables = metadata_tables(out, options.layout)
    planned = sorted({*OWN_FILES, *tables, *map(to_text, copies)} - {STATE})
    # Record the names first: if this run is killed, --overwrite must know which files to remove.
    folder.write("finished.json", {"stats": None, "report": False, "files": dict.fromkeys(planned, "")})
    _remove_unfinished(out, tables)
    with open_atomic(out / "manifest.jsonl", folder.scratch) as manifest:
        for index in stats:
            with folder.rows_path(index).open("rb") as rows:
                shutil.copyfileobj(rows, manifest)
    # ImageFolder reads loose files; a tar holds the metadata beside each image.
    if options.layout != "webdataset":
        write_metadata(out, options.layout)
    for name, source in copies.items():
        with source.open("rb") as original, open_atomic(out / name, folder.scratch) as copy:
            shutil.copyfileobj(original, copy)
    processors = sorted({shard.processor for shard in stats.values()} - {""})
    if len(processors) > 1:
        log.warning(
            "%s: its shards were processed on different kinds of processor (%s); pixels may differ by "
            "one grey level from another run",
            out,
            ", ".join(processors),
        )
    # Without private folder names.
    templates = tuple((public_path(name), weight) for name, weight in options.templates)
    published = replace(options, templates=templates, landmarks=public_path(options.landmarks))
    record = run_record(
        command=command_line(published),
        options=published.as_dict(),
        seed=options.seed,
        templates={public_path(name): sha256 for name, sha256 in config["templates"].items()},
        counts=Counts.total(shard.counts for shard in stats.values()).as_dict(),
        processors=processors,
        source={name: getattr(dataset, name) for name in _FACTS},
        landmark_model=config["landmark_model"],
    )
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    write_atomic(out / "maskgen.json", text.encode(), folder.scratch)
    if report is not None:
        report(out)
    files = spot_checksums(out, (name for name in planned if (out / from_text(name)).exists()))
    folder.sync_files(files)
    folder.write("finished.json", {"stats": state.hexdigest(), "report": report is not None, "files": files})
    if not is_remote(out):
        shutil.rmtree(folder.scratch, ignore_errors=True)


def _remove_unfinished(out: Path, tables: Iterable[str]) -> None:
    """Remove the unfinished files that a killed `open_atomic` leaves beside its target."""
    if is_remote(out):
        return
    for folder in (out, *((out / from_text(table)).parent for table in tables)):
        for path in folder.iterdir() if folder.is_dir() else ():
            if _LEFTOVER.fullmatch(path.name):
                path.unlink()


def _copies(options: SynthOptions, dataset: FaceDataset, root: Path) -> dict[str, Path]:
    """Output name -> label file to copy, once for each variant, for loaders of the original dataset."""
    # A table with images elsewhere holds paths to them: a copy would not match the output.
    if options.layout != "mirror" or dataset.files is not None:
        return {}
    tops = [f"variant-{variant}/" for variant in range(options.variants)] if options.variants > 1 else [""]
    names = {f"{top}{name}": path for name, path in label_files(dataset, root).items() for top in tops}
    return {name: path for name, path in names.items() if name not in OWN_FILES}


# Always part of the command: their defaults may change between versions.
_ALWAYS = ("blend", "fit", "templates", "label", "seed")


def command_line(options: SynthOptions) -> str:
    """The command line that reproduces this result, without options that do not affect its bytes."""
    default = SynthOptions(dataset=options.dataset)
    words = ["maskgen", "synth", "--dataset", options.dataset]
    for name, value in options.as_dict().items():
        if name != "dataset" and (name in _ALWAYS or value != getattr(default, name)):
            words += _option_words(name, value)
    return shlex.join(words)


# Fields of `SynthOptions` that hold several values -> the option that is repeated for each.
_REPEATED = {name: name[:-1] for name in ("templates", "colors", "patterns", "wears", "splits")}


def _option_words(name: str, value: Any) -> list[str]:
    if name == "files":
        return ["--files-from", "LIST"]
    option = "--" + _REPEATED.get(name, name).replace("_", "-")
    if name in _REPEATED:
        weighted = ((part, 1) if isinstance(part, str) else part for part in value)
        texts = (part if weight == 1 else f"{part}={weight!r}" for part, weight in weighted)
        return [word for text in texts for word in (option, text)]
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    return [option, "none" if value is None else str(value)]
