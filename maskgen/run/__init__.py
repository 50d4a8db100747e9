"""Mask a whole dataset, in parallel and resumable.

::

    Job --job.run--> ShardList --driver.run_shards--> executors (one process, loky, Dask, Ray)
                                                        | per shard
                        pipeline: read > find faces > mask > encode      shard.mask_shard
                                                        |
                        RunDir: rows.jsonl, images, NNNNNN.json (written last: the shard is done)
                                                        |
                        finalize: manifest.jsonl, maskgen.json, metadata.jsonl, README.md, preview.jpg

When a worker dies, `driver` halves the pool, and finds the sample that killed it.
"""
