"""Export a result: the manifest as a CSV or Parquet `table`; boxes and outlines as annotations.

`shapes.annotated_images` yields the boxes and outlines; `detection` writes them.
"""
