"""Who runs the shards: this process, local processes (loky), Dask or Ray.

`executor.run_tasks` is the one entry; `cluster` and `remote_call` are what Dask and Ray share.
"""
