"""Run tasks in this process, in local processes (loky), or on a Dask or Ray cluster.

`executor.run_tasks` is the only entry point; `cluster` runs tasks on either kind of cluster.
"""
