"""The training loop: `fit` trains phase by phase, each `epoch` from the `checkpoint` of the one before."""
