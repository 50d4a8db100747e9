"""What masks are made of: plain colours, prints, single marks and weaves, all drawn from a seed.

::

    template's JSON -parse_material-> Material -draw_fabric(seed)-> Fabric
    Fabric -draw_print-> Print, a tile; -draw_mark-> Mark, with alpha; -weave-> a tile of light and dark

Everything is flat, in neutral light and in centimetres; the garment is cut, folded and lit elsewhere. A print
is added as a function in a file of `motifs` that `prints` names; a mark as one that `marks` names.
"""
