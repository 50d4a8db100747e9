"""Predictions for unlabelled images, videos and windows."""
