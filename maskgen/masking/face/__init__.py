"""What is measured on a face, once: its light, skin, sharpness, noise and eyeglasses."""
