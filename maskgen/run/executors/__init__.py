"""Run tasks in this process, in local processes (loky), or on a Dask or Ray cluster.

`executor.run_tasks` is the only entry point; Dask and Ray share `cluster` and `remote_call`.
"""
