"""Mask templates: a NAME.json that describes a material, or a NAME.png with a NAME.json of anchors.

    library.load_template -> MaskTemplate -> fits; an image: recolor.recolor, recolor.print_pattern -> pyramid

`street` is the default mix.
"""
