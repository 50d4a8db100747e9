"""The ``.maskgen`` folder of an output: which shards are done, and whether a run may go on."""
