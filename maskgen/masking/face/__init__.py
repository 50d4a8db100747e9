"""Measurements of one face in its photograph, each computed once and cached by `context.FaceContext`.

    image + Landmarks -> light.Light                     exposure, colour cast, smoothed skin light
                      -> light_direction.LightDirection  where the light comes from
                      -> texture.Texture                 blur and noise
                      -> skin_view.SkinView              deviation of each pixel from the bare skin
                      -> eyeglasses.Eyeglasses           lower rims and dark lenses

Light and skin are measured on a `downscaled.DownscaledRoi`; eyeglasses on an `eye_unwrap.EyeUnwrap`.
"""
