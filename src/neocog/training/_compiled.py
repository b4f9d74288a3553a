"""The settings of `compile`, and their fit to the model's outputs, which is known with the first batch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from neocog import losses as losses_module
from neocog import metrics as metrics_module
from neocog import optimizers
from neocog._old_spellings import warn_old
from neocog.core import check_one_of, floatx, tree_flatten
from neocog.exceptions import ArgumentError, NotCompiledError, nearest
from neocog.metrics import Mean, Metric
from neocog.metrics._state import reads_for_nothing
from neocog.training._precision import PRECISIONS

_ACCURACY_WORDS = ("accuracy", "acc", "crossentropy", "ce")
_MOST_WAITING = 64  # losses of batches


class LossTracker(Mean):
    """The mean loss over samples, from one value a batch; summed in float64."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, dtype="float64" if floatx() == "float64" else "float32")
        self._waiting: list[tuple[torch.Tensor, int]] = []  # on the CPU, and nobody has asked for them

    def add(self, loss: torch.Tensor, size: int) -> None:
        """Take the mean loss of a batch of `size` samples into account; on an accelerator without a sync."""
        if reads_for_nothing(loss):
            self._waiting.append((loss.detach(), size))
            if len(self._waiting) >= _MOST_WAITING:
                self._take_up()
            return
        if self._device != loss.device:
            self._follow((loss,), {})
        self.total.add_(loss.detach(), alpha=size)
        self._seen += size

    def _take_up(self) -> None:
        """Add what waits, in its order."""
        if not self._waiting:
            return
        losses, sizes = zip(*self._waiting, strict=True)
        self._waiting = []
        for value, size in zip(torch.stack(losses).tolist(), sizes, strict=True):
            self._add_number(value * size)
            self._seen += size

    def reset_state(self) -> None:
        """Forget all batches."""
        self._waiting = []
        super().reset_state()


@dataclass(slots=True)
class Head:
    """What is measured on one output: its loss and its metrics.

    Attributes:
        name: name of the output.
        loss: function of (y_true, y_pred, sample_weight), or None.
        weight: factor of the loss in the total, or None for 1.
        metrics: metrics that ignore sample weights.
        weighted_metrics: metrics that use them.
        tracker: mean of this output's loss, where several outputs have one.
    """

    name: str
    loss: Callable[..., torch.Tensor] | None
    weight: float | None
    metrics: list[Metric] = field(default_factory=list)
    weighted_metrics: list[Metric] = field(default_factory=list)
    tracker: LossTracker | None = None


class Compiled:
    """Optimizer, losses and metrics of a model.

    Names are resolved at once, so that a misspelt one is found before any data are; what depends on the
    outputs
    (which accuracy, which loss for which output) is settled by `settle`.
    """

    def __init__(
        self,
        *,
        optimizer: Any,
        loss: Any,
        loss_weights: Any,
        metrics: Any,
        weighted_metrics: Any,
        jit_compile: bool | str,
        precision: str,
    ) -> None:
        self.precision: str = check_one_of("compile", "precision", precision, PRECISIONS)
        if not isinstance(jit_compile, bool):
            check_one_of("compile", "jit_compile", jit_compile, ("auto",))
        self.jit_compile = jit_compile  # "auto": by the plan's rules
        self.steps_per_execution = 1  # batches after which callbacks hear of them
        self.synchronized = False  # whether every BatchNormalization takes the moments over all processes
        self.sharded = False  # whether each process keeps a share of the weights alone
        self.loss_argument = loss
        self.loss_weights = loss_weights
        self.metrics_argument = metrics
        self.weighted_metrics_argument = weighted_metrics
        self.optimizer_argument = optimizer
        self.optimizer: Any = None
        self.set_optimizer(optimizer)
        _walk(loss, _loss)
        for tree in (metrics, weighted_metrics):
            if "acc" in tree_flatten(tree):
                warn_old("compile", "'acc'", "'accuracy' (the history's key is the name that you give)")
            _walk(tree, lambda item: None if _is_accuracy_word(item) else _metric(item))
        self.loss_tracker = LossTracker(name="loss")
        self.heads: list[Head] = []
        self.output_names: list[str] = []  # as the model gives them; the heads of a dict go by name

    def set_optimizer(self, optimizer: Any) -> None:
        """Take another optimizer; a `torch.optim.Optimizer` is adapted."""
        if isinstance(optimizer, torch.optim.Optimizer):
            self.optimizer = optimizers.TorchOptimizer(optimizer)
        else:
            self.optimizer = optimizers.get(optimizer)

    def scale_losses(self) -> None:
        """Wrap the optimizer so that gradients too small for float16 are not lost."""
        known = isinstance(self.optimizer, optimizers.Optimizer)
        if known and self.optimizer.loss_scale_factor is None:
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)

    @property
    def settled(self) -> bool:
        """Whether losses and metrics have found their outputs."""
        return bool(self.heads)

    def settle(self, y: Any, y_pred: Any, names: list[str]) -> None:
        """Give each output its loss and metrics, from the shapes of the first batch.

        Args:
            y: targets of a batch, nested like the outputs; None where there are none.
            y_pred: outputs of that batch.
            names: names of the outputs, in order; made up where a model has none.

        Raises:
            ArgumentError: losses or metrics name outputs that do not exist, or their number differs.
        """
        if self.settled:
            return
        names = names_of_outputs(y_pred, names)
        outputs = tree_flatten(y_pred)
        targets = targets_in_order(y, names)
        losses = _per_output("loss", self.loss_argument, names, broadcast=True)
        weights = _per_output("loss_weights", self.loss_weights, names, broadcast=False)
        metrics = _per_output_lists("metrics", self.metrics_argument, names)
        weighted = _per_output_lists("weighted_metrics", self.weighted_metrics_argument, names)
        many, several = len(names) > 1, sum(loss is not None for loss in losses) > 1
        self.output_names = list(y_pred) if isinstance(y_pred, dict) else names
        for index, name in enumerate(names):
            prefix = f"{name}_" if many else ""
            make = partial(_settled_metric, target=targets[index], output=outputs[index], prefix=prefix)
            loss = _loss(losses[index])
            self.heads.append(
                Head(
                    name=name,
                    loss=loss,
                    weight=None if weights[index] is None else float(weights[index]),
                    metrics=[make(item) for item in metrics[index]],
                    weighted_metrics=[make(item) for item in weighted[index]],
                    tracker=LossTracker(name=f"{name}_loss") if several and loss is not None else None,
                )
            )
        _name_apart(self.heads)

    def all_metrics(self) -> list[Metric]:
        """Loss first, then the losses of the outputs as the model gives them, then the outputs' metrics."""
        trackers = {head.name: head.tracker for head in self.heads if head.tracker is not None}
        ordered = [trackers[name] for name in self.output_names if name in trackers]
        return [self.loss_tracker, *ordered, *self._metrics_of_outputs()]

    def named_last(self) -> list[Metric]:
        """Return the metrics that end a list of results, by name: those of several outputs, as in Keras."""
        return self._metrics_of_outputs() if len(self.heads) > 1 else []

    def _metrics_of_outputs(self) -> list[Metric]:
        return [metric for head in self.heads for metric in (*head.metrics, *head.weighted_metrics)]


def require_compiled(where: str, compiled: Compiled | None) -> Compiled:
    """Return the settings, or say what to call first."""
    if compiled is None:
        raise NotCompiledError(
            f"{where}: expected a compiled model, got one without loss and optimizer. "
            'Call compile first, for instance model.compile("adam", "sparse_categorical_crossentropy", '
            '["accuracy"]).'
        )
    return compiled


def names_of_outputs(y_pred: Any, names: list[str]) -> list[str]:
    """Return one name an output: the keys of a dict, the given names, or `output_1`, `output_2`, …"""
    if isinstance(y_pred, dict):
        return sorted(y_pred)
    count = len(tree_flatten(y_pred))
    if len(names) == count and len(set(names)) == count:
        return list(names)
    return ["output"] if count == 1 else [f"output_{number + 1}" for number in range(count)]


def targets_in_order(y: Any, names: list[str]) -> list[Any]:
    """Return one target (or None) for each output name."""
    if y is None:
        return [None] * len(names)
    if isinstance(y, dict):
        unknown = [key for key in y if key not in names]
        if unknown:
            close = nearest(str(unknown[0]), names) or names
            raise ArgumentError(
                f"targets: expected keys among {names}, got {unknown[0]!r}. Did you mean {close[0]!r}?"
            )
        return [y.get(name) for name in names]
    leaves = tree_flatten(y)
    if len(leaves) != len(names):
        raise ArgumentError(
            f"targets: expected {len(names)}, one for each output {names}, got {len(leaves)}."
        )
    return leaves


def _per_output(what: str, value: Any, names: list[str], *, broadcast: bool) -> list[Any]:
    if value is None:
        return [None] * len(names)
    if isinstance(value, dict) and "class_name" not in value:
        _check_keys(what, value, names)
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ArgumentError(
                f"compile: expected {what} for the {len(names)} outputs {names}, got {len(value)}."
            )
        return list(value)
    if len(names) > 1 and not broadcast:
        raise ArgumentError(
            f"compile: expected a list or dict of {what} for the outputs {names}, got {value!r}."
        )
    return [value] * len(names)


def _per_output_lists(what: str, value: Any, names: list[str]) -> list[list[Any]]:
    if value is None:
        return [[] for _ in names]
    if isinstance(value, dict) and "class_name" not in value:
        _check_keys(what, value, names)
        return [_as_list(value.get(name)) for name in names]
    items = _as_list(value)
    if len(names) == 1:
        return [[inner for item in items for inner in _as_list(item)]]
    if len(items) != len(names):
        raise ArgumentError(
            f"compile: expected {what} as a list with an entry for each of the {len(names)} outputs "
            f"{names}, or a dict, "
            f"got {len(items)} entries."
        )
    return [_as_list(item) for item in items]


def _check_keys(what: str, value: dict[str, Any], names: list[str]) -> None:
    for key in value:
        if key not in names:
            close = nearest(str(key), names) or names
            raise ArgumentError(
                f"compile: expected {what} for outputs among {names}, got one for {key!r}. Did you mean "
                f"{close[0]!r}?"
            )


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _walk(tree: Any, check: Callable[[Any], Any]) -> None:
    if isinstance(tree, dict) and "class_name" not in tree:
        for item in tree.values():
            _walk(item, check)
    elif isinstance(tree, (list, tuple)):
        for item in tree:
            _walk(item, check)
    elif tree is not None:
        check(tree)


def _loss(identifier: Any) -> Callable[..., torch.Tensor] | None:
    """Return a function of (y_true, y_pred, sample_weight) for anything that names a loss."""
    if identifier is None:
        return None
    if isinstance(identifier, torch.nn.Module):
        return _TorchLoss(identifier)
    found = losses_module.get(identifier)
    if isinstance(found, losses_module.Loss):
        return found
    return losses_module.LossFunctionWrapper(found, name=getattr(found, "__name__", "loss"))


class _TorchLoss:
    """A torch loss module (`nn.BCELoss()`), which takes the prediction first and knows no sample weights."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module

    def __call__(self, y_true: torch.Tensor, y_pred: torch.Tensor, sample_weight: Any = None) -> torch.Tensor:
        if sample_weight is not None:
            raise ArgumentError(
                f"{type(self.module).__name__}: torch losses take no sample weights. Use neocog's loss of "
                "that name."
            )
        y_true = y_true.reshape(y_pred.shape) if y_true.numel() == y_pred.numel() else y_true
        if y_true.is_floating_point() != y_pred.is_floating_point() and y_true.shape == y_pred.shape:
            y_true = y_true.to(y_pred.dtype)
        return self.module(y_pred, y_true)  # type: ignore[no-any-return]


def _name_apart(heads: list[Head]) -> None:
    """Give metrics of the same name those that Keras gives: `accuracy_1`, and `weighted_accuracy`."""
    many, taken = len(heads) > 1, set[str]()
    for words, kind in (("", "metrics"), ("weighted_", "weighted_metrics")):
        for head in heads:
            prefix = f"{head.name}_" if many else ""
            for metric in getattr(head, kind):
                name = metric.name
                if name in taken and words:
                    name = f"{prefix}{words}{name.removeprefix(prefix)}"
                numbers = (f"{name}_{number}" for number in itertools.count(1))
                metric.name = next(other for other in itertools.chain([name], numbers) if other not in taken)
                taken.add(metric.name)


def _is_accuracy_word(item: Any) -> bool:
    return isinstance(item, str) and item.lower() in _ACCURACY_WORDS


def _metric(identifier: Any) -> Metric:
    found = metrics_module.get(identifier)
    if isinstance(found, Metric):
        if isinstance(identifier, str):
            found.name = identifier  # the history's key is what the user wrote
        return found
    name = identifier if isinstance(identifier, str) else getattr(found, "__name__", "metric")
    return metrics_module.MeanMetricWrapper(found, name=name)


def _settled_metric(identifier: Any, target: Any, output: torch.Tensor, prefix: str) -> Metric:
    if _is_accuracy_word(identifier):
        target_shape = tuple(target.shape) if target is not None else tuple(output.shape)
        metric = metrics_module.resolve_accuracy(identifier, target_shape, tuple(output.shape))
    else:
        metric = _metric(identifier)
    if prefix and not metric.name.startswith(prefix):
        metric.name = prefix + metric.name
    return metric
