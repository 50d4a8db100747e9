"""Export a result as COCO, YOLO or Pascal VOC annotations, or as a CSV or Parquet table.

`shapes.annotated_images` yields the boxes and outlines; `detection` passes them to `coco`, `yolo` or `voc`.
`table` converts the manifest to CSV or Parquet.
"""
