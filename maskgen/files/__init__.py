"""Files and their names: atomic writes, JSON and CSV text, tars, safe paths, and remote stores."""
