"""Training data: sources are gathered, split, cropped, augmented and fed to Keras."""
