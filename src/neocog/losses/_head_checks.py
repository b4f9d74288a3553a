"""Does the last layer suit the loss and the targets?"""

from __future__ import annotations

import warnings

import torch

from neocog.losses._target_case import TOLERANCE, Case, number, value_range, whole

# What an output can never leave, by its activation.
_REACH = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "softplus": (0.0, float("inf")),
    "relu6": (0.0, 6.0),
}
# What gives no probabilities, even where the first outputs happen to look like some.
_SCORES = ("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh", "softsign")
_DISTANCES = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")


def check_head(case: Case) -> None:
    """Raise where the activation of the last layer contradicts the loss or the targets."""
    ones = case.activation == "softmax" and case.outputs.shape[-1] == 1
    if ones and value_range(case.outputs)[0] > 1 - TOLERANCE:  # else it runs along another axis
        raise case.refuse(
            "several units below a softmax",
            "1 unit, whose softmax is always 1",
            'Use activation="sigmoid" with binary_crossentropy, or one unit for each class.',
        )
    if "crossentropy" in case.name:
        _check_probabilities(case)
        _check_several_labels(case)
    elif case.name in _DISTANCES:
        _warn_of_unreachable(case)


def _check_several_labels(case: Case) -> None:
    """Look at sigmoid heads below losses of one class, and at several labels below softmax."""
    several = _rows_with_several_labels(case)
    if case.activation == "softmax" and several:
        raise case.refuse(
            "one class a sample below a softmax",
            f"{several} rows with several labels",
            'For several labels use activation="sigmoid" with binary_crossentropy.',
        )
    if case.activation != "sigmoid" or case.outputs.shape[-1] == 1 or case.name.startswith("binary"):
        return
    do = 'Use activation="softmax"; for several labels a sample, sigmoid with binary_crossentropy.'
    along = case.name.startswith("categorical_") and case.axis in (-1, case.outputs.dim() - 1)
    if along or case.name.startswith("sparse"):  # its outputs are scaled to the sum 1, which books rely on
        warnings.warn(
            f"{case.where}: its classes exclude each other, but a sigmoid does not. {do}", stacklevel=4
        )


def _rows_with_several_labels(case: Case) -> int:
    """Return how many rows of 0 and 1 hold more than one 1."""
    targets = case.targets
    if "sparse" in case.name or targets.shape != (len(targets), *case.outputs.shape[1:]) or targets.dim() < 2:
        return 0
    low, high = value_range(targets)
    if low != 0 or high != 1 or not whole(targets):
        return 0
    return int((targets.to(torch.float32).sum(-1) > 1).sum())


def _warn_of_unreachable(case: Case) -> None:
    """Warn of targets that the last layer can never give."""
    least, most = _REACH.get(case.activation or "", (-float("inf"), float("inf")))
    low, high = value_range(case.targets)
    if low >= least - TOLERANCE and high <= most + TOLERANCE:
        return
    reach = (
        f"0 or more from its {case.activation}"
        if most == float("inf")
        else (f"{number(least)} to {number(most)} from its {case.activation}")
    )
    warnings.warn(
        f"{case.where}: the output gives {reach}, but the targets go from {low:.4g} to {high:.4g}. "
        "Remove the activation of the last layer, or scale the targets.",
        stacklevel=4,
    )


def _check_probabilities(case: Case) -> None:
    if case.from_logits:
        if case.activation in ("softmax", "sigmoid"):
            raise case.refuse(
                "logits (from_logits=True)",
                f"the output of a {case.activation}",
                "Remove the activation of the last layer, or pass from_logits=False.",
            )
        return
    if case.activation in ("softmax", "sigmoid", "hard_sigmoid"):
        return
    wanted = "sigmoid" if case.name.startswith("binary") else "softmax"
    low, high = value_range(case.outputs)
    # Class scores are scaled to sum 1: positive ones are proper when no activation is named.
    scores = wanted == "softmax" and case.activation != "linear"
    if low < -TOLERANCE or (high > 1 + TOLERANCE and not scores):
        raise case.refuse(
            "probabilities (from_logits=False)",
            f"outputs from {low:.4g} to {high:.4g}",
            f'Add activation="{wanted}" to the last layer, or pass from_logits=True.',
        )
    if case.activation in _SCORES:
        warnings.warn(
            f"{case.where}: the loss takes probabilities, and a last layer with activation="
            f'"{case.activation}" gives none: learning may stop, or the loss become NaN. '
            f'Use activation="{wanted}", or pass from_logits=True without an activation.',
            stacklevel=5,
        )
