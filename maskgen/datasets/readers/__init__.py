"""Readers that the dataset adapters share.

`samples` makes a `maskgen.records.Sample` from an image and its labels. `label_file_search` finds label
files, `label_files` parses text, CSV and JSON, `mat_file` Matlab files. `tar_patterns` finds tars and
`tar_labels` parses the labels in them.
"""
