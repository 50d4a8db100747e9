"""One masked face.

::

    options, seed, sample id --plan.plan--> Plan (template, colour, wear, hang)
                                              |
    MaskTemplate --templates.recolor--> pyramid --fits--> Layer (BGR + alpha in image space)
                                                           |
    image + Landmarks --face.FaceContext-----------------> layer: occlusion, then harmonise
                        (light, skin, blur, eyeglasses)    |
                                       image + Layer --compositors--> Composite --coverage--> what it covers

`mask_face` joins these steps. ``kernels/`` holds arrays in, arrays out; nothing there knows a face.
"""
