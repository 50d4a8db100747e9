"""What the predictions of a model are worth: figures, their intervals, calibration, groups and pairs."""
