"""Output files of a run: manifest, run record, dataset card, contact sheet, images and tars.

`layout` names the files of each sample, `output_files` writes them, `manifest` defines the rows.
`run_record`, `card`, `contact_sheet` and `huggingface` make the final files from the manifest; `reader` reads
a finished result. `export` converts it to other formats.
"""
