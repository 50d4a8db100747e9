"""Predictions for unlabelled images and videos: `faces` has those of one image, `inputs` runs over many."""
