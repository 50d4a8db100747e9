"""Datasets and results in fsspec's memory, for runs from and into a store."""

import json
import re
from dataclasses import replace
from functools import partial

from small_runs import job

from maskgen.files.remote import location
from maskgen.results.card import write_report
from maskgen.results.run_record import fingerprint
from maskgen.run.job import run

STATS = re.compile(r"\.maskgen/shards/\d+\.json$")


def fresh_memory(url):
    """A place in fsspec's memory, which is otherwise empty."""
    place = location(url)
    place.fs.store.clear()
    place.fs.pseudo_dirs[:] = [""]
    return place


def upload(folder, place):
    """Copies a local folder into a store and returns the place."""
    for path in folder.rglob("*"):
        if path.is_file():
            place.fs.pipe_file((place / path.relative_to(folder).as_posix()).path, path.read_bytes())
    return place


def stored(place):
    """As `small_runs.tree`, of a place in a store."""
    files = {path: path[len(place.path) :].strip("/") for path in place.fs.find(place.path)}
    return {name: place.fs.cat_file(path) for path, name in files.items()}


def run_from(source, root, out, report=write_report, running=None, **options):
    """The run of `small_runs.masked` with its images read from another root; with the final report."""
    local = job(source, out, **options)
    whole = partial(report, root=root) if report else None
    return run(replace(local, root=root), progress=False, report=whole, **(running or {}))


def but_root(files):
    """The files without what may differ: where the sources were read, and when they were written."""
    config = json.loads(files[".maskgen/config.json"])
    fingerprints = {
        name: json.loads(data)["fingerprint"] for name, data in files.items() if STATS.match(name)
    }
    assert set(fingerprints.values()) == {fingerprint(config)}
    del config["root"]
    kept = {name: data for name, data in files.items() if not name.endswith((".sources", "/labels.json"))}
    for name, own in fingerprints.items():
        kept[name] = kept[name].replace(own.encode(), b"")
    return {**kept, ".maskgen/config.json": json.dumps(config).encode()}
