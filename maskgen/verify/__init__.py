"""``maskgen verify``: check a result against its manifest and run record.

`result.Verifier` reads the manifest; `rows.check_batch` checks the files of a batch of rows in worker
processes and measures the alphas again. Each difference is a `rows.Finding`.
"""
