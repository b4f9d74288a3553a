"""Random changes of images in training: whole batches at once, on the device, each image by its own draw."""

from neocog.layers.augment._base import GeometricLayer, RandomImageLayer
from neocog.layers.augment._color import RandomBrightness, RandomContrast
from neocog.layers.augment._crop import RandomCrop
from neocog.layers.augment._geometric import RandomFlip, RandomRotation, RandomTranslation, RandomZoom

__all__ = [
    "GeometricLayer",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomImageLayer",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
]
