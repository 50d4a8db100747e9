"""Readers that the dataset adapters share.

`root` finds label files and makes a `maskgen.records.Sample` of an image and its labels. `label_files` parses
text, CSV and JSON, `mat_file` Matlab files, `tar_labels` labels in tars.
"""
