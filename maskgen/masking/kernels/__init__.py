"""Array functions without knowledge of faces.

`box_blur` blurs a plane, `polygons` fills outlines of mesh points in a downscaled plane, and
`quickselect.select` is an order statistic for numba kernels.
"""
