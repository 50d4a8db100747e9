"""Masking of one face, from landmarks to the composited image.

::

    options, seed, sample id --plan.plan--> Plan (template, colour, wear, hang)
                                              |
    MaskTemplate --garment.dress--> Garment ----fits-----> Layer (BGR + alpha in image space)
                                                           |
    image + Landmarks --face.FaceContext-----------------> layer: occlusion, then harmonise
                        (light, skin, blur, eyeglasses)    |
                                       image + Layer --compositors--> Composite --coverage--> covered shares

`mask_face` runs these steps. ``garment/`` has the shapes of masks, ``materials/`` what they are made of.
``kernels/`` holds array functions without knowledge of faces.
"""
