"""What masks are made of: plain colours, prints, single marks and weaves, all drawn from a seed.

::

    template's JSON -parse_material-> Material -draw_fabric(seed)-> Fabric -+- draw_print -> Print, a tile
                                                                           +- draw_mark --> Mark, with alpha
                                                                           +- weave ------> light and dark

Everything is flat, in neutral light and in centimetres; the garment is cut, folded and lit elsewhere. To add
a print, write a function in a file of `motifs` and name it in `prints`; to add a mark, name it in `marks`.
"""
