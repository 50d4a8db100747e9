"""Array functions without knowledge of faces: `planes`, and `quickselect.select` for numba kernels."""
