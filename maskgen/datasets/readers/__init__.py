"""Readers that the dataset adapters share: of a root, of label files, and of labels in tars."""
