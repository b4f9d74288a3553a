"""`neocog.applications.imagenet_utils`: images as networks expect them, and the names of what they see."""

from neocog.applications._predictions import decode_predictions
from neocog.applications._preprocessing import preprocess_input

__all__ = ["decode_predictions", "preprocess_input"]
