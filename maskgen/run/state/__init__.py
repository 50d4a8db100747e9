"""The state of a run in its output: configuration, finished shards, locks and time limits."""
