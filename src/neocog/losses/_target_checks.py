"""Do these targets suit this loss? Asked once, before training starts."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch

from neocog import functional
from neocog.core import to_tensor
from neocog.exceptions import ArgumentError, DataError, ShapeError, message
from neocog.losses._head_checks import check_head
from neocog.losses._loss import FormulaLoss, Loss, LossFunctionWrapper
from neocog.losses._registry import FUNCTIONS, LOSSES
from neocog.losses._target_case import TOLERANCE, Case, number, value_range, whole


def check_targets(
    loss: Any, y_true: Any, y_pred: Any, *, output: str = "output", activation: str | None = None
) -> None:
    """Raise where targets do not suit a loss and an output; a user's own loss is never refused.

    It reads values, so it may wait for the device: call it once, on the whole targets or the first batch.

    Args:
        loss: loss object, function or name.
        y_true: targets, all of them or some rows.
        y_pred: predictions for some rows: only the shape and the range count.
        output: name of the output, for the text.
        activation: name of the last layer's activation; None where it is not known.

    Raises:
        DataError: labels out of range, NaN or infinite targets, an activation that contradicts `from_logits`.
        ShapeError: shapes that do not fit.

    Example:
        >>> check_targets("sparse_categorical_crossentropy", [0, 2], [[0.2, 0.3, 0.5]])
        >>> check_targets("sparse_categorical_crossentropy", [0, 3], [[0.2, 0.3, 0.5]])
        Traceback (most recent call last):
            ...
        neocog.exceptions.DataError: sparse_categorical_crossentropy on "output": expected class numbers \
from 0 to 2 (the output has 3 units), got 3. Give the output 4 units, or number the classes from 0.
    """
    known = _formula(loss)
    if known is None or (isinstance(y_pred, (dict, list, tuple)) and not _is_array(y_pred)):
        return
    name, arguments = known
    where = f'{name} on "{output}"'
    outputs = to_tensor(y_pred).detach()
    targets = _targets(where, y_true)
    if outputs.dim() == 0 or targets.dim() == 0 or not targets.numel() or not outputs.numel():
        return
    targets, outputs = functional.match_ranks(targets, outputs)
    case = Case(
        where=where,
        name=name,
        from_logits=bool(arguments.get("from_logits", False)),
        ignore_class=arguments.get("ignore_class"),
        axis=arguments.get("axis", -1) if "crossentropy" in name else -1,
        activation=activation,
        targets=targets,
        outputs=outputs,
    )
    _check_finite(case)
    _CHECKS.get(name, _check_elementwise)(case)
    check_head(case)


def _formula(loss: Any) -> tuple[str, dict[str, Any]] | None:
    """Return name and arguments of one of our formulas, or None for a user's own loss."""
    if isinstance(loss, str):
        if loss not in LOSSES:
            return None
        loss = LOSSES.make(loss)
    if isinstance(loss, LossFunctionWrapper):
        untouched = type(loss) is LossFunctionWrapper or type(loss).call is FormulaLoss.call
        name = FUNCTIONS.name_of(loss.fn) if untouched and type(loss).__call__ is _PLAIN_CALL else None
        return None if name is None else (name, loss._fn_kwargs)
    if isinstance(loss, (Loss, type)) or not callable(loss):
        return None
    name = FUNCTIONS.name_of(loss)
    return None if name is None else (name, {})


_PLAIN_CALL = LossFunctionWrapper.__call__


def _is_array(value: Any) -> bool:
    # Nested lists of numbers are one array; lists of arrays are several outputs.
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (int, float, bool, np.generic))


def _targets(where: str, y_true: Any) -> torch.Tensor:
    if not isinstance(y_true, torch.Tensor):
        y_true = np.asarray(y_true)
        if y_true.dtype.kind in "OUSV":
            first = y_true.reshape(-1)[0] if y_true.size else "nothing"
            raise DataError(
                message(
                    where,
                    expected="targets as numbers",
                    got=f"an array of type {y_true.dtype} (first value {first!r})",
                    do="Number the classes: classes, y = numpy.unique(labels, return_inverse=True).",
                )
            )
    try:
        return to_tensor(y_true).detach()
    except ArgumentError as error:
        raise DataError(f"{where}: {error}") from error


def _check_finite(case: Case) -> None:
    if not case.targets.is_floating_point():
        return
    low, high = value_range(case.targets)  # a NaN makes both NaN
    if np.isfinite(low) and np.isfinite(high):
        return
    bad = ~torch.isfinite(case.targets)
    row = int(torch.nonzero(bad.reshape(len(bad), -1).any(dim=1))[0])
    got = f"{int(bad.sum())} NaN or infinite values, the first in row {row}"
    raise case.refuse("finite targets", got, "Remove or fill these rows.")


def _check_sparse(case: Case) -> None:
    wanted = list(case.outputs.shape[1:])
    class_axis = case.axis % case.outputs.dim()
    if class_axis > 0:
        del wanted[class_axis - 1]
    shape = list(case.targets.shape[1:])
    squeezed = case.targets.dim() == case.outputs.dim() and case.targets.shape[case.axis] == 1
    if squeezed and class_axis > 0:
        del shape[class_axis - 1]
    if shape != wanted:
        _refuse_sparse_shape(case, wanted)
    labels = case.targets
    if not whole(labels):
        fraction = number(labels[labels != torch.round(labels)].reshape(-1)[0].item())
        raise case.refuse("class numbers", fraction, "Labels are whole numbers from 0: do not scale them.")
    if case.ignore_class is not None:
        labels = labels[labels != case.ignore_class]
    if labels.numel():
        _check_class_range(case, *value_range(labels))


def _refuse_sparse_shape(case: Case, wanted: list[int]) -> NoReturn:
    shape = tuple(case.targets.shape)
    expected = f"class numbers of shape {('n', *wanted)}".replace("'", "")
    if case.targets.dim() == case.outputs.dim() and value_range(case.targets) == (0, 1):
        do = "For one-hot labels use categorical_crossentropy, or take argmax(y, axis=-1)."
        raise case.refuse(expected, f"what looks like one-hot labels, {shape}", do, ShapeError)
    raise case.refuse(expected, shape, f"The output has shape {tuple(case.outputs.shape)}.", ShapeError)


def _check_class_range(case: Case, low: float, high: float) -> None:
    last = case.classes - 1
    if low >= 0 and high <= last:
        return
    worst = low if low < 0 else high
    if low < 0:
        do = f"Number the classes from 0, or pass ignore_class={number(low)} if this label marks no class."
    elif last == 0 and high == 1:
        do = "Use binary_crossentropy with one sigmoid unit, or give the output 2 units with softmax."
    elif low == 1 and high == case.classes:
        do = "The labels start at 1: subtract 1."
    else:
        do = f"Give the output {number(high + 1)} units, or number the classes from 0."
    units = "1 unit" if last == 0 else f"{case.classes} units"
    raise case.refuse(f"class numbers from 0 to {last} (the output has {units})", number(worst), do)


def _check_categorical(case: Case) -> None:
    if case.classes == 1 and case.activation != "softmax":
        warnings.warn(
            f"{case.where}: one unit cannot tell classes apart: its loss never changes. "
            "Use a sigmoid with binary_crossentropy, or one unit a class.",
            stacklevel=3,
        )
    if case.targets.shape[1:] == case.outputs.shape[1:] and case.targets.dim() == case.outputs.dim():
        return
    expected = f"one-hot labels of shape {('n', *case.outputs.shape[1:])}".replace("'", "")
    if case.looks_like_class_numbers:
        do = f"Use sparse_categorical_crossentropy, or to_categorical(y, {case.classes})."
        raise case.refuse(expected, f"class numbers, {tuple(case.targets.shape)}", do, ShapeError)
    columns = case.targets.shape[case.axis] if case.targets.dim() == case.outputs.dim() else None
    do = f"Give the output {columns} units." if columns and columns != case.classes else ""
    raise case.refuse(expected, tuple(case.targets.shape), do, ShapeError)


def _check_binary(case: Case) -> None:
    if case.targets.shape[1:] != case.outputs.shape[1:] or case.targets.dim() != case.outputs.dim():
        expected = f"labels of shape {('n', *case.outputs.shape[1:])}".replace("'", "")
        do = ""
        if case.looks_like_class_numbers and case.classes > 1:
            do = f"Use sparse_categorical_crossentropy, or to_categorical(y, {case.classes})."
        raise case.refuse(expected, tuple(case.targets.shape), do, ShapeError)
    low, high = value_range(case.targets)
    if low >= -TOLERANCE and high <= 1 + TOLERANCE:
        return
    if low == -1 and high <= 1:
        do = "For labels -1 and 1 use hinge, or (y + 1) / 2."
    elif high > 1 and low >= 0 and case.classes == 1 and whole(case.targets):
        do = f"Use sparse_categorical_crossentropy and {number(high + 1)} output units with softmax."
    elif (
        case.activation == "sigmoid" and case.classes > 1 and case.outputs.dim() == 2 and whole(case.targets)
    ):
        do = "Several labels are one column of 0 and 1 for each label, not their numbers."
    else:
        do = "Scale them (images: y / 255)."
    raise case.refuse("labels between 0 and 1", number(high if high > 1 + TOLERANCE else low), do)


def _check_elementwise(case: Case) -> None:
    ours, theirs = case.targets.shape[1:], case.outputs.shape[1:]
    fits = case.targets.dim() == case.outputs.dim() and all(
        a == b or 1 in (a, b) for a, b in zip(ours, theirs, strict=True)
    )
    if fits:
        if ours != theirs:
            warnings.warn(
                f"{case.where}: targets {tuple(case.targets.shape)} are spread over outputs "
                f"{tuple(case.outputs.shape)}. Expected one target for each output unit.",
                stacklevel=3,
            )
        return
    expected = f"targets of shape {('n', *theirs)}".replace("'", "")
    do = f"Give the output {ours[-1]} units, or change the targets." if ours else ""
    if case.looks_like_class_numbers and case.classes > 1:
        do = f"For class numbers use sparse_categorical_crossentropy, or to_categorical(y, {case.classes})."
    raise case.refuse(expected, tuple(case.targets.shape), do, ShapeError)


def _check_sequences(case: Case) -> None:
    if case.targets.dim() != 2 or case.outputs.dim() != 3:
        expected = "labels (batch, length) for outputs (batch, time, classes)"
        got = f"{tuple(case.targets.shape)} for {tuple(case.outputs.shape)}"
        raise case.refuse(expected, got, kind=ShapeError)
    _check_class_range(case, *value_range(case.targets))


def _check_pairs(case: Case) -> None:
    if not whole(case.targets):
        raise case.refuse("class numbers", "fractions", "Circle compares samples by their class number.")


_CHECKS: dict[str, Callable[[Case], None]] = {
    "binary_crossentropy": _check_binary,
    "binary_focal_crossentropy": _check_binary,
    "categorical_crossentropy": _check_categorical,
    "categorical_focal_crossentropy": _check_categorical,
    "sparse_categorical_crossentropy": _check_sparse,
    "categorical_generalized_cross_entropy": _check_sparse,
    "circle": _check_pairs,
    "ctc": _check_sequences,
}
