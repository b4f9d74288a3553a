"""Floor 1: pure tensor maths without state: the loss formulas."""

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
    "MEAN_FORMS",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "class_labels",
    "cosine_similarity",
    "ctc",
    "dice",
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
    "poisson",
    "precise",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
