"""Dense layers one behind the other, with back-propagation written out.

A perceptron's step has so little to compute that recording it for torch's differentiation, and walking back
through the records, costs as much as the products themselves. The kernels here are the same ones, and so are
the numbers, to the bit, save where the products go by another library (`functional.shares_by_units`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from neocog import activations
from neocog.functional import as_autocast, autocasts, dense_product, runs_now, shares_by_units
from neocog.layers._activations import Activation, ReLU
from neocog.layers._dense import Dense
from neocog.layers._layer import Layer
from neocog.layers._rescaling import Rescaling
from neocog.layers._reshaping import Flatten, Reshape
from neocog.layers._variable import Variable
from neocog.layers._watched import PARTS, is_changed, is_watched, own_parts

Gradient = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
_aten: Any = torch.ops.aten
_threshold_backward = _aten.threshold_backward.default
_sigmoid_backward, _tanh_backward = _aten.sigmoid_backward.default, _aten.tanh_backward.default
_softmax_backward = _aten._softmax_backward_data.default
_sigmoid = activations.sigmoid  # a parameter below is called activations

# What each activation does to a gradient, given what the activation gave.
_GRADIENTS: dict[Any, Gradient] = {
    activations.linear: lambda gradient, outputs: gradient,
    activations.relu: lambda gradient, outputs: _threshold_backward(gradient, outputs, 0),
    activations.sigmoid: _sigmoid_backward,
    activations.tanh: _tanh_backward,
}
_HEAD_GRADIENTS: dict[Any, Gradient] = {
    **_GRADIENTS,
    activations.softmax: lambda gradient, outputs: _softmax_backward(gradient, outputs, -1, outputs.dtype),
}
_IN_PLACE: dict[Any, Callable[[torch.Tensor], torch.Tensor]] = {
    activations.linear: lambda sums: sums,
    activations.relu: torch.relu_,
    activations.sigmoid: torch.sigmoid_,
    activations.tanh: torch.tanh_,
}
_KINDS = {activations.softmax: "softmax", activations.sigmoid: "sigmoid"}
_REARRANGE = (Flatten, Reshape, Rescaling)
_OWN = own_parts((Dense, Activation, ReLU))


@dataclass(frozen=True)
class Computed:
    """What a forward pass leaves.

    Attributes:
        outputs: of the last layer, (B, units).
        sums: what the last activation got.
        inputs: of each dense layer, (B, features).
        kernels: of each, (units, features), in the precision of the products.
        by_units: of each, how its products are computed.
        weights: the kernel and the bias of each, in torch's layout, as they learn.
    """

    outputs: torch.Tensor
    sums: torch.Tensor
    inputs: list[torch.Tensor]
    kernels: list[torch.Tensor]
    by_units: list[bool]
    weights: list[tuple[torch.Tensor, torch.Tensor | None]]


class DenseStack:
    """Layers that only rearrange, then dense ones.

    Args:
        model: whose layers they are.
        prepare: makes of the data what the first layer takes.
        before: layers without weights and draws; no gradient is taken of their inputs.
        dense: the layers with weights.
        activations: of each.
        others: layers that are activations alone, folded into these.
    """

    def __init__(
        self,
        model: Layer,
        prepare: Callable[[torch.Tensor], torch.Tensor],
        before: Sequence[Layer],
        dense: Sequence[Dense],
        activations: Sequence[Any],
        others: Sequence[Layer],
    ) -> None:
        self.model, self.prepare, self.before = model, prepare, list(before)
        self.dense, self.activations = list(dense), list(activations)
        self._watched = [*dense, *others]
        self.kind = _KINDS.get(self.activations[-1])
        # Under autocast a sigmoid is computed in float32, which its gradient needs.
        self._leaves_autocast = _sigmoid in self.activations[:-1]

    def is_usual(self) -> bool:
        """Return whether nobody watches the model, its layers or their gradients, and all of them learn."""
        if is_watched(self.model, PARTS):
            return False
        weights = [weight for pair in self._weights() for weight in pair if weight is not None]
        return not any(map(_runs_alone, self._watched)) and all(map(_is_usual, weights))

    def _weights(self) -> list[Any]:
        return [(layer._parameters["weight"], layer._parameters.get("bias")) for layer in self.dense]

    @torch.no_grad()
    def forward(self, x: torch.Tensor) -> Computed | None:
        """Return what the layers make of `x`; None where they have to run by themselves.

        Whether they are as usual, `is_usual` says.
        """
        if not runs_now(x) or x.device.type != "cpu" or (self._leaves_autocast and autocasts(x)):
            return None
        weights = self._weights()
        x = self.prepare(x)
        for layer in self.before:
            x = layer.run_at_once(x)
        if x.dim() != 2 or x.dtype is not weights[0][0].dtype or not len(x):
            return None
        inputs: list[torch.Tensor] = []
        kernels: list[torch.Tensor] = []
        by_units: list[bool] = []
        sums = x
        for (weight, bias), before in zip(weights, [None, *self.activations], strict=False):
            x, kernel, bias = as_autocast(x if before is None else _IN_PLACE[before](sums), weight, bias)
            inputs.append(x)
            kernels.append(kernel)
            by_units.append(shares_by_units(kernel))
            sums = dense_product(x, kernel, bias, by_units=by_units[-1])
        return Computed(self.activations[-1](sums), sums, inputs, kernels, by_units, weights)

    @torch.no_grad()
    def backward(self, computed: Computed, gradient: torch.Tensor, *, of_sums: bool) -> None:
        """Add the gradients of a loss to the weights' `grad`: all of them, or none where memory runs out.

        Args:
            computed: what `forward` returned.
            gradient: of the loss to the outputs, (B, units).
            of_sums: whether it is that to the sums below the last activation.
        """
        if not of_sums:
            outputs = computed.outputs
            gradient = _HEAD_GRADIENTS[self.activations[-1]](gradient.to(outputs.dtype), outputs)
        gradient = gradient.to(computed.sums.dtype)
        found: list[tuple[torch.Tensor, torch.Tensor]] = []
        for number in reversed(range(len(self.dense))):
            (weight, bias), inputs = computed.weights[number], computed.inputs[number]
            way = computed.by_units[number]
            below = (
                dense_product(gradient, computed.kernels[number].t(), None, by_units=way)
                if number
                else gradient
            )
            to_kernel = dense_product(gradient.t(), inputs.t(), None, by_units=way)
            found.append((weight, to_kernel.to(weight.dtype)))
            if bias is not None:
                found.append((bias, gradient.sum(0).to(bias.dtype)))
            if number:
                gradient = _GRADIENTS[self.activations[number - 1]](below, inputs)
        for weight, gradient in found:
            _add(weight, gradient)


def dense_stack(
    model: Layer, layers: Sequence[Layer], prepare: Callable[[torch.Tensor], torch.Tensor]
) -> DenseStack | None:
    """Return a model's layers, each on the outputs of the one before, as a stack; None where they differ."""
    before: list[Layer] = []
    dense: list[Dense] = []
    found: list[Any] = []
    others: list[Layer] = []
    for layer in layers:
        if layer._mixed_policy is not None or layer.activity_regularizer is not None:
            return None
        if type(layer) is Dense:
            dense.append(layer)
            found.append(layer.activation)
        elif not dense:
            if type(layer) not in _REARRANGE:
                return None
            before.append(layer)
        else:
            activation = _alone(layer)
            if activation is None or found[-1] is not activations.linear:
                return None
            found[-1] = activation
            others.append(layer)
    if not dense or any(activation not in _IN_PLACE for activation in found[:-1]):
        return None
    if found[-1] not in _HEAD_GRADIENTS or len(set(map(id, dense))) < len(dense):
        return None
    return DenseStack(model, prepare, before, dense, found, others)


def _alone(layer: Layer) -> Any:
    """The activation that a layer consists of, or None."""
    if type(layer) is ReLU:
        plain = layer.negative_slope == 0 and layer.threshold == 0 and layer.max_value is None
        return activations.relu if plain else None
    return layer.activation if type(layer) is Activation else None


def _runs_alone(layer: Layer) -> bool:
    """Whether the layer's own call has to happen."""
    return layer._mixed_policy is not None or is_changed(layer, _OWN)


def _is_usual(weight: Any) -> bool:
    """Whether a weight's gradient goes to its `grad` and nowhere else."""
    hooks = weight._backward_hooks or weight._post_accumulate_grad_hooks
    return weight.requires_grad and not hooks and type(weight) in (Variable, torch.nn.Parameter)


def _add(weight: torch.Tensor, gradient: torch.Tensor) -> None:
    if weight.grad is None:
        weight.grad = gradient
    else:
        weight.grad.add_(gradient)
