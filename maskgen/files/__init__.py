"""Files and their names: atomic writes, JSON and CSV text, tars, safe paths, and remote stores.

`remote` is the base: a `Path` is local or a URL of fsspec, and the other modules accept both. `path_text`
converts file names to valid text and back, `safe_paths` keeps reads below a root, `image_files` lists the
images of a folder.
"""
