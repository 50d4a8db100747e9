"""``maskgen demo``: a local page that masks an image and classifies it."""
