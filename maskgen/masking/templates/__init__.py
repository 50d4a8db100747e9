"""Mask templates: NAME.png with alpha and NAME.json with a description.

    library.load_template -> MaskTemplate -> recolor.recolor, recolor.print_pattern -> pyramid -> fits

`preview` draws all templates on one sheet.
"""
