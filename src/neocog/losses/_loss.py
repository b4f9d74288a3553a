"""The loss contract, and the wrapper that turns a function of (y_true, y_pred) into a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch

from neocog.core import auto_name, check_number, dtype_name, to_snake_case, to_tensor, torch_dtype, tree_map
from neocog.exceptions import ArgumentTypeError, message
from neocog.functional import (
    GRADIENT_FORMS,
    MEAN_FORMS,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    circle,
    ctc,
    logits_of,
    match_ranks,
    sparse_categorical_crossentropy,
)
from neocog.losses._reduction import AVERAGES, check_reduction, reduce_loss
from neocog.losses._registry import FUNCTIONS, LOSSES, describe_function, get, resolve_function

# Their targets are class numbers and stay integers.
_OF_CLASS_NUMBERS = (sparse_categorical_crossentropy, categorical_generalized_cross_entropy, circle, ctc)


# The activation whose logits a loss can take in place of its probabilities.
_LOGITS_OF = {
    binary_crossentropy: "sigmoid",
    categorical_crossentropy: "softmax",
    sparse_categorical_crossentropy: "softmax",
}

# What F.cross_entropy calls: (logits, labels, weights, 1 for the mean, ignored label, smoothing).
_crossentropy: Any = torch._C._nn.cross_entropy_loss


class Loss:
    """Base of all losses: a subclass defines `call(y_true, y_pred)`, which returns one value a sample.

    Args:
        name: name in logs; default the class name in snake case.
        reduction: `"sum_over_batch_size"` (the mean; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"` (the sum divided by the sum of the weights), `"none"` or None.
        dtype: type to compute in; default the default float. Half-precision predictions are widened to it.

    Raises:
        ArgumentError: the reduction is not known.

    Example:
        >>> class Quartic(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return torch.mean((y_pred - y_true) ** 4, dim=-1)
        >>> Quartic()([[0.0], [0.0]], [[1.0], [2.0]])
        tensor(8.5000)
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.reduction = check_reduction(self.name, reduction)
        # A dtype policy counts by its compute type.
        self.dtype = dtype_name(getattr(dtype, "compute_dtype", dtype))
        kind = torch_dtype(self.dtype)
        self._kind = kind if kind == torch.float64 else torch.float32  # never in half precision

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor:
        """Return the reduced loss.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: one weight a sample, or of the shape of the unreduced loss; default None.
        """
        return self._reduced(y_true, y_pred, sample_weight, self._kind)

    def summed_exactly(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor:
        """Return the reduced loss with its values summed in float64, where the device has it.

        Means over parts of the data then make the mean over all, to the digits of float32: what `evaluate`
        reports depends neither on the batches nor on how many processes share them.
        """
        if type(self).__call__ not in (Loss.__call__, LossFunctionWrapper.__call__):
            return self(y_true, y_pred, sample_weight)
        return self._reduced(y_true, y_pred, sample_weight, torch.float64)

    def _reduced(self, y_true: Any, y_pred: Any, sample_weight: Any, kind: torch.dtype) -> torch.Tensor:
        y_pred = self._predictions(y_pred)
        y_true = self._targets(y_true, y_pred)
        values = self.call(y_true, y_pred)
        values = to_tensor(values) if not isinstance(values, torch.Tensor) else values
        mask = self._mask(y_true, y_pred, values)
        kind = self._kind if values.device.type == "mps" else kind  # Apple's GPUs have no float64
        return reduce_loss(values.to(kind), sample_weight, mask, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value a sample."""
        raise NotImplementedError(f"{type(self).__name__}: define call(self, y_true, y_pred).")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; subclasses with more of them override it."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the loss that `get_config` described."""
        return cls(**config)

    def _predictions(self, y_pred: Any) -> Any:
        if isinstance(y_pred, torch.Tensor):
            return y_pred if y_pred.dtype is self._kind else _keep_mask(y_pred, y_pred.to(self._kind))
        if isinstance(y_pred, dict) or _holds_tensors(y_pred):
            return tree_map(self._predictions, y_pred)
        return to_tensor(y_pred, dtype=self._kind)

    def _targets(self, y_true: Any, y_pred: Any) -> Any:
        device = y_pred.device if isinstance(y_pred, torch.Tensor) else None
        if isinstance(y_true, torch.Tensor):
            return y_true.to(device=device, dtype=self._kind)
        if isinstance(y_true, dict) or _holds_tensors(y_true):
            return tree_map(lambda leaf: self._targets(leaf, y_pred), y_true)
        return to_tensor(y_true, dtype=self._kind, device=device)

    def _mask(self, y_true: Any, y_pred: Any, values: torch.Tensor) -> torch.Tensor | None:
        # A layer that masks time steps leaves the mask on its output under Keras's name.
        masks = [getattr(y_pred, "_keras_mask", None), getattr(values, "_keras_mask", None)]
        given = [mask for mask in masks if mask is not None]
        return given[0] & given[1] if len(given) == 2 else (given[0] if given else None)


def _holds_tensors(tree: Any) -> bool:
    return isinstance(tree, (list, tuple)) and any(
        hasattr(item, "shape") or isinstance(item, dict) for item in tree
    )


def _keep_mask(source: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
    mask = getattr(source, "_keras_mask", None)
    if mask is not None:
        result._keras_mask = mask  # type: ignore[attr-defined]
    return result


@LOSSES.register()
class LossFunctionWrapper(Loss):
    """A loss that calls a function.

    Args:
        fn: function of (y_true, y_pred) that returns one value a sample.
        reduction: as in `Loss`; default `"sum_over_batch_size"`.
        name: name in logs; default `"loss_function_wrapper"`.
        dtype: as in `Loss`.
        **kwargs: further arguments of `fn`, as in Keras.

    Example:
        >>> LossFunctionWrapper(lambda y_true, y_pred: (y_true - y_pred)[:, 0])([[3.0]], [[1.0]])
        tensor(2.)
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        self._counts_classes = any(fn is function for function in _OF_CLASS_NUMBERS)
        plain = type(self).call is LossFunctionWrapper.call and FUNCTIONS.name_of(fn) is not None
        self._mean_form = MEAN_FORMS.get(fn) if plain else None
        self._gradient_form = GRADIENT_FORMS.get(fn) if plain else None
        usual = {"from_logits": False, "ignore_class": None, "axis": -1}
        self._of_classes = fn is sparse_categorical_crossentropy and {**usual, **kwargs} == usual

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor:
        """Return the reduced loss; without weights and masks by the fewest kernels."""
        if sample_weight is None and self._mean_form is not None and self.reduction in AVERAGES:
            mean = self._mean_of_classes(y_true, y_pred) if self._of_classes else None
            mean = self._mean(y_true, y_pred) if mean is None else mean
            if mean is not None:
                return mean
        return super().__call__(y_true, y_pred, sample_weight)

    def _mean_of_classes(self, y_true: Any, y_pred: Any) -> torch.Tensor | None:
        """The usual case of a classifier, class numbers (B,) for a softmax (B, C), in one kernel at once."""
        logits: Any
        logits, made_by = getattr(y_pred, "_neocog_logits", (None, None))
        if made_by != "softmax" or type(y_true) is not torch.Tensor or y_true.dtype is not torch.int64:
            return None
        fits = logits.dim() == 2 and logits.dtype is self._kind and y_true.shape == logits.shape[:1]
        if not fits or not len(y_true) or y_true.device != logits.device or hasattr(y_pred, "_keras_mask"):
            return None
        return _crossentropy(logits, y_true, None, 1, -100, 0.0)  # type: ignore[no-any-return]

    def _mean(self, y_true: Any, y_pred: Any) -> torch.Tensor | None:
        if self._mean_form is None or not isinstance(y_pred, torch.Tensor):
            return None
        if getattr(y_pred, "_keras_mask", None) is not None:
            return None
        logits = self._logits(y_pred)
        y_pred = self._predictions(y_pred if logits is None else logits)
        target, prediction = match_ranks(self._targets(y_true, y_pred), y_pred)
        if logits is not None:
            return self._mean_form(target, prediction, **{**self._fn_kwargs, "from_logits": True})
        return self._mean_form(target, prediction, **self._fn_kwargs)

    def with_gradient(
        self, y_true: Any, outputs: torch.Tensor, sums: torch.Tensor, kind: str | None
    ) -> tuple[torch.Tensor, torch.Tensor, bool] | None:
        """Return the mean loss, its gradient, and whether that is one to the sums; None where no formula is
        known.

        Args:
            y_true: targets.
            outputs: predictions.
            sums: what they were made of, by `kind`.
            kind: "softmax" over the last axis, "sigmoid", or None for anything else.
        """
        form, whole = self._gradient_form, type(self).__call__ is LossFunctionWrapper.__call__
        if form is None or self.reduction not in AVERAGES or not whole or outputs.dtype is not self._kind:
            return None
        remembered = kind is not None and kind == _LOGITS_OF.get(self.fn)
        of_sums = (
            remembered and not self._fn_kwargs.get("from_logits") and self._fn_kwargs.get("axis", -1) == -1
        )
        x = sums if of_sums else outputs
        target, prediction = match_ranks(self._targets(y_true, x), x)
        known = {**self._fn_kwargs, "from_logits": True} if of_sums else self._fn_kwargs
        found = form(target, prediction, **known)
        return None if found is None else (found[0], found[1].view(x.shape), of_sums)

    def _logits(self, y_pred: torch.Tensor) -> torch.Tensor | None:
        """Logits that the probabilities remember, where the loss can use them."""
        kind = _LOGITS_OF.get(self.fn)
        if kind is None or self._fn_kwargs.get("from_logits") or self._fn_kwargs.get("axis", -1) != -1:
            return None
        return logits_of(y_pred, kind)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns for targets and predictions of matching ranks."""
        if isinstance(y_true, torch.Tensor) and isinstance(y_pred, torch.Tensor):
            y_true, y_pred = match_ranks(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def _targets(self, y_true: Any, y_pred: Any) -> Any:
        if self._counts_classes and isinstance(y_pred, torch.Tensor):
            here = isinstance(y_true, torch.Tensor) and y_true.device == y_pred.device
            return y_true if here else to_tensor(y_true, device=y_pred.device)
        return super()._targets(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, the function by name."""
        return {**super().get_config(), "fn": describe_function(self.fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the loss that `get_config` described."""
        if "fn" in config:
            config = {**config, "fn": resolve_function(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.name}, {self._fn_kwargs})>"


class FormulaLoss(LossFunctionWrapper):
    """Base of the losses of this package: one formula, whose arguments are attributes and configuration.

    Args:
        fn: one of the loss functions.
        reduction: as in `Loss`.
        name: name in logs.
        dtype: as in `Loss`.
        **kwargs: arguments of the formula.

    Raises:
        ArgumentError: `label_smoothing` is not in [0, 1].
    """

    def __init__(
        self, fn: Callable[..., Any], reduction: str | None, name: str | None, dtype: Any, **kwargs: Any
    ) -> None:
        super().__init__(fn, reduction=reduction, name=name, dtype=dtype, **kwargs)
        if "label_smoothing" in kwargs:
            check_number(self.name, "label_smoothing", kwargs["label_smoothing"], minimum=0.0, maximum=1.0)
        self.__dict__.update(kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**Loss.get_config(self), **self._fn_kwargs}


def as_loss(identifier: Any) -> Loss:
    """Return a `Loss` for anything that `get` understands; a function is wrapped under its own name.

    Example:
        >>> as_loss("mse").name
        'mean_squared_error'
    """
    loss = get(identifier)
    if isinstance(loss, Loss):
        return loss
    if not callable(loss):
        expected = "the name of a loss, a Loss or a function"
        raise ArgumentTypeError(message("loss", expected=expected, got=repr(identifier)))
    return LossFunctionWrapper(loss, name=getattr(loss, "__name__", None))
