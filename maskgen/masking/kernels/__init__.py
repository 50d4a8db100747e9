"""Arrays in, arrays out: blurring, polygons and order statistics. Nothing here knows a face."""
