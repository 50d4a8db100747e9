"""Masks as garments: a shape, a material and a hang, draped over the face's own mesh and lit by its light.

::

    MaskTemplate, Plan --dress.dress--> Garment (outline, relief, cloth, trims, patches, loops; from `shapes`)
                                           |
    Landmarks --surface--> grid of points  |  hang: where the garment lies on the head
                                |          |
                                drape.drape: rasterize, outline, relief, shading, loops --> Layer

All lengths of a garment are in eye distances, on the unrolled head; `garment` has the details.
"""
