"""Floor 1: pure tensor maths without state: the loss formulas, image warps and sizes."""

from neocog.functional._autocast import autocasts, full_precision
from neocog.functional._image_resize import RESIZE_MODES, crop_to_ratio, pad_to_ratio, resize
from neocog.functional._image_warp import (
    FILL_MODES,
    INTERPOLATIONS,
    compose,
    rotation_matrices,
    scale_matrices,
    translation_matrices,
    warp,
)
from neocog.functional._loss_inputs import class_labels, loss_pair, match_ranks, matched_pair, precise
from neocog.functional._mean_losses import MEAN_FORMS
from neocog.functional._probabilistic_losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from neocog.functional._regression_losses import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    squared_hinge,
)
from neocog.functional._set_losses import circle, ctc, dice, tversky

__all__ = [
    "FILL_MODES",
    "INTERPOLATIONS",
    "MEAN_FORMS",
    "RESIZE_MODES",
    "autocasts",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "class_labels",
    "compose",
    "cosine_similarity",
    "crop_to_ratio",
    "ctc",
    "dice",
    "full_precision",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "loss_pair",
    "match_ranks",
    "matched_pair",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pad_to_ratio",
    "poisson",
    "precise",
    "resize",
    "rotation_matrices",
    "scale_matrices",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "translation_matrices",
    "tversky",
    "warp",
]
