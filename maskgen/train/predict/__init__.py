"""Predictions for unlabelled images and videos, and their display.

`faces` finds the faces of an image, crops them as in training and runs a classifier on them. `inputs` does so
for image files and for each frame of a video or a camera, and writes and shows the annotated images.
"""
