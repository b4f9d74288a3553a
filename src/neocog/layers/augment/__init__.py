"""Random changes of images in training: whole batches at once, on the device, each image by its own draw."""

from neocog.layers.augment._base import RandomImageLayer
from neocog.layers.augment._clahe import ContrastLimitedAdaptiveHistogramEqualization
from neocog.layers.augment._color import RandomBrightness, RandomContrast
from neocog.layers.augment._crop import RandomCrop
from neocog.layers.augment._distortions import RandomElasticTransform, RandomPerspective
from neocog.layers.augment._erasing import Cutout, RandomErasing
from neocog.layers.augment._filters import RandomGaussianBlur, RandomSharpness
from neocog.layers.augment._geometric import RandomFlip, RandomRotation, RandomTranslation, RandomZoom
from neocog.layers.augment._gray import RandomColorDegeneration, RandomGrayscale
from neocog.layers.augment._histograms import AutoContrast, Equalization
from neocog.layers.augment._hue import RandomHue, RandomSaturation
from neocog.layers.augment._jitter import RandomColorJitter
from neocog.layers.augment._lighting import RandomPCALighting
from neocog.layers.augment._mixing import CutMix, MixingLayer, MixUp
from neocog.layers.augment._pipeline import Pipeline
from neocog.layers.augment._policies import AugMix, RandAugment
from neocog.layers.augment._shear import RandomShear
from neocog.layers.augment._stretch import RandomStretch
from neocog.layers.augment._tones import RandomInvert, RandomPosterization, Solarization
from neocog.layers.augment._warping import GeometricLayer

__all__ = [
    "AugMix",
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Cutout",
    "Equalization",
    "GeometricLayer",
    "MixUp",
    "MixingLayer",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomImageLayer",
    "RandomInvert",
    "RandomPCALighting",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomStretch",
    "RandomTranslation",
    "RandomZoom",
    "Solarization",
]
