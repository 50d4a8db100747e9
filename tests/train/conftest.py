"""Keeps tensorflow's chatter out of the tests' output, and the tests out of each other's random numbers."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
