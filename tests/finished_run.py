"""A finished run of any size, without an image in it: what a resumed command finds and reads."""

from hashlib import sha256

from maskgen.datasets import get_dataset
from maskgen.landmarks import LandmarkerSpec
from maskgen.results.counts import Counts
from maskgen.results.run_record import fingerprint
from maskgen.run.finalize import finalize
from maskgen.run.shard_list import ShardList
from maskgen.run.state.output_claim import claimed, describe
from maskgen.run.state.run_dir import RunDir
from maskgen.run.state.shard_records import ShardSources, ShardStats


def write_finished_run(root, out, options, shards):
    """Makes ``out`` look as after a run with that many full shards, whose rows are all empty of faces."""
    folder = RunDir(out)
    config = describe(options, root, LandmarkerSpec(options.landmarks, None, options.detector))
    with claimed(folder, config, overwrite=False):
        pass
    size, ours = options.shard_size, fingerprint(config)
    folder.write("listing.json", {"shards": shards, "samples": shards * size})
    sources = ShardSources("0" * 64, {})
    for index in range(shards):
        counts = Counts(size, size, 0, {"no_face": size}, {f"person {index}": size}, {"none": size}, 0, 1)
        folder.sources_path(index).write_bytes(sources.as_json())
        ends = {"ids": "0" * 64, "first": f"{index}/0.jpg", "last": f"{index}/9.jpg"}
        hashes = {"rows_sha256": sha256(b"").hexdigest(), "files_sha256": sha256(b"{}").hexdigest()}
        stats = ShardStats(index=index, counts=counts, fingerprint=ours, **ends, **hashes)
        folder.stats_path(index).write_bytes(stats.as_json())
        folder.rows_path(index).write_bytes(b"")
        folder.files_path(index).write_bytes(b"{}")
    finalize(ShardList(options, get_dataset(options.dataset), root, folder), config, None)
    finished = folder.read("finished.json")
    folder.write("finished.json", {**finished, "report": True})


if __name__ == "__main__":
    import sys
    from pathlib import Path

    from maskgen.options import SynthOptions

    root, out, shards = sys.argv[1:]
    write_finished_run(Path(root), Path(out), SynthOptions("folder", label="folder"), int(shards))
