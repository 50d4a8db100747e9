"""What happens to a fitted layer before it is composited: occlusion, light, blur, noise and shadow."""
