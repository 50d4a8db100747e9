"""Predictions for unlabelled images and videos, and their display.

`faces` finds the faces of an image, crops them as in training and runs a classifier on them. `video` does so
for each frame of a file or a camera, and shows annotated images in a window.
"""
