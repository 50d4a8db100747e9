"""A result in the formats of others: COCO, YOLO, Pascal VOC, CSV and Parquet."""
