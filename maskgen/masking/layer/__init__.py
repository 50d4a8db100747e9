"""Changes to a fitted layer before it is composited.

    Layer -> occlusion.occluders   matte of hair, objects and eyeglasses in front of the mask
          -> harmonise.harmonise   light, blur and noise of the photograph (relight), contact shadow

`objects` finds microphones, sleeves and the like for `occlusion`; `components` selects the connected
components that both accept as occluders.
"""
