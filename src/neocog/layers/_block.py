"""Layers that follow each other, run in a form that costs less and gives the same.

Convolution, batch normalization, rectifier, pooling: in this order, each on the outputs of the one before,
and nothing else reads what lies between.

- Pooling before rectifying moves a part of the bytes: the largest of rectified numbers is the rectified
  largest, gradients included, bit for bit.
- A rectifier writes over sums that nothing else needs.
- Where no gradient is taken, normalization with fixed moments is a part of the convolution's kernel and bias,
  and the convolution rectifies what it writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch.nn.modules import module as torch_module

from neocog import activations
from neocog.core import DTypePolicy
from neocog.functional import conv, conv_relu
from neocog.graph import module_call
from neocog.layers._activations import Activation, ReLU
from neocog.layers._batch_norm import BatchNormalization
from neocog.layers._conv import Conv1D, Conv2D, Conv3D
from neocog.layers._conv_base import WindowConv
from neocog.layers._depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from neocog.layers._layer import Layer
from neocog.layers._merge import Add
from neocog.layers._pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D, Pooling
from neocog.layers._precision import INSIDE, computes_in, in_policy
from neocog.layers._watched import is_changed, own_parts

_CONVOLUTIONS = (Conv1D, Conv2D, Conv3D, DepthwiseConv1D, DepthwiseConv2D)
_RECTIFIERS = (Activation, ReLU)
_POOLINGS = (MaxPooling1D, MaxPooling2D, MaxPooling3D)
_KINDS: dict[type, str] = {
    **dict.fromkeys(_CONVOLUTIONS, "convolution"),
    BatchNormalization: "normalization",
    **dict.fromkeys(_RECTIFIERS, "rectifier"),
    **dict.fromkeys(_POOLINGS, "pooling"),
    Add: "sum",
}
View = Callable[[torch.Tensor], torch.Tensor]
_OWN = own_parts(_KINDS)
_NEXT = {
    "convolution": ("normalization", "rectifier", "pooling"),
    "normalization": ("rectifier",),
    "sum": ("rectifier",),
    "rectifier": ("pooling",),
    "pooling": (),
}


class Block:
    """Layers in the order that the module says, run together.

    Where someone watches a layer (torch's hooks), has replaced a part of it, or computes in another
    precision, and where the calls are traced, the layers run one by one.

    Args:
        layers: one or more of which `extended` accepts the next.

    Example:
        >>> from neocog.layers import Conv2D, MaxPooling2D
        >>> block = Block([Conv2D(4, 3, activation="relu"), MaxPooling2D()])
        >>> block(torch.rand(2, 8, 8, 3)).shape
        torch.Size([2, 3, 3, 4])
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        found: dict[str, Any] = {_KINDS[type(layer)]: layer for layer in layers}
        self.head = self.layers[0]
        self.policy = self.head._mixed_policy
        self.convolution: WindowConv | None = found.get("convolution")
        self.normalization: BatchNormalization | None = found.get("normalization")
        self.pooling: Pooling | None = found.get("pooling")
        self.rectifier: Layer | None = found.get("rectifier")
        rectified = self.rectifier or self.convolution
        self.rectifies, self.ceiling = _rectification(rectified)

    def extended(self, layer: Any) -> Block | None:
        """Return the block with a layer more; None where it does not fit in."""
        last = self.layers[-1]
        if _kind(layer) not in _NEXT[_KINDS[type(last)]] or not _fits(self, last, layer):
            return None
        if layer._mixed_policy != self.policy:
            return None
        return Block([*self.layers, layer])

    def __call__(self, inputs: Any) -> Any:
        """Compute what the layers, one after the other, stand for."""
        if self.must_run_plainly(inputs):
            for layer in self.layers:
                inputs = module_call(layer, inputs) if layer.built else layer(inputs)
            return inputs
        if self.policy is None:
            return self._joined(inputs)
        with in_policy(self.policy, inputs):
            return self._joined(inputs)

    def _joined(self, inputs: Any) -> Any:
        x, outward, rectified = self._sums(inputs)
        if self.pooling is not None:
            x, outward = self.pooling.pooled(outward(x)), self.pooling._layout.outward
        if not self.rectifies or rectified:
            return outward(x)
        if self.ceiling is None:
            return outward(torch.relu_(x))
        return activations.relu(outward(x), max_value=self.ceiling)

    def _sums(self, inputs: Any) -> tuple[torch.Tensor, View, bool]:
        """Return what is still to pool and to rectify, the way out of its layout, and whether it is
        rectified.
        """
        layer, norm = self.convolution, self.normalization
        if layer is None:
            if norm is not None:
                return *_normalized(norm, inputs), False
            return (inputs if self.head is self.rectifier else module_call(self.head, inputs)), _as_is, False
        weight, bias = layer.weight, layer.bias
        still = _is_still(inputs, self.layers)
        folds = still and norm is not None and _folds(norm, layer, inputs)
        if folds and norm is not None:
            weight, bias = norm.folded_into(weight, bias)
        rectified = still and self.rectifies and (norm is None or folds)
        kernel = partial(conv_relu, ceiling=self.ceiling) if rectified else conv
        x = layer.sums(inputs, weight, bias, kernel)
        if norm is None or folds:
            return x, layer._layout.outward, rectified
        return *_normalized(norm, layer._layout.outward(x)), False

    @property
    def is_linear(self) -> bool:
        """Whether nothing is done to the convolution's sums but what other layers of the block do."""
        return self.convolution is not None and self.convolution.activation is activations.linear

    def must_run_plainly(self, inputs: Any) -> bool:
        """Whether the layers have to run one by one on these inputs."""
        watched = torch_module._has_any_global_hook()  # type: ignore[no-untyped-call]
        if watched or _is_traced(inputs):
            return True
        if INSIDE.mixed if self.policy is None else not self._rounds_well(self.policy, inputs):
            return True
        norm = self.normalization
        if norm is not None and norm.asked_to_synchronize:
            return True
        return any(_runs_alone(layer) or layer._mixed_policy != self.policy for layer in self.layers)

    def _rounds_well(self, policy: DTypePolicy, inputs: Any) -> bool:
        """Whether the block rounds no more often than its layers, which have a mixed policy.

        They round after each sum, bias and normalization, as Keras does: gradients are taken of that.
        """
        layer, norm = self.convolution, self.normalization
        if layer is None or not computes_in(policy, inputs.device.type):
            return False
        return _is_still(inputs, self.layers) and (norm is None or _folds(norm, layer, inputs))


def _as_is(x: torch.Tensor) -> torch.Tensor:
    return x


def _normalized(norm: BatchNormalization, inputs: torch.Tensor) -> tuple[torch.Tensor, View]:
    x = norm.normalized(inputs, norm.training)
    return x, lambda outputs: norm.channels_back(outputs, inputs)


def block_of(layer: Any) -> Block | None:
    """Return a block of this layer alone, to be extended; None where it cannot start one."""
    kind = _kind(layer)
    is_open = kind == "rectifier" and _rectification(layer) == (True, None)
    starts = is_open or kind in ("convolution", "normalization", "sum")
    return Block([layer]) if starts else None


def _kind(layer: Any) -> str | None:
    kind = _KINDS.get(type(layer))
    if kind is None or layer.activity_regularizer is not None:
        return None
    if kind == "rectifier" and not _rectification(layer)[0]:
        return None
    return None if kind == "normalization" and layer.synchronized else kind


def _fits(block: Block, last: Layer, layer: Any) -> bool:
    kind = _KINDS[type(layer)]
    if kind == "pooling":
        return block.rectifies and block.ceiling is None
    if isinstance(last, WindowConv):
        if last.activation is not activations.linear:
            return False
        axes = last.rank + 2
        return kind != "normalization" or layer.axis % axes == last._layout.channel_axis % axes
    return True


def _rectification(layer: Any) -> tuple[bool, float | None]:
    """Whether a layer ends in max(x, 0), and the bound above it."""
    if isinstance(layer, ReLU):
        return layer.negative_slope == 0 and layer.threshold == 0, layer.max_value
    function = getattr(layer, "activation", None)
    if function is activations.relu6:
        return True, 6.0
    return function is activations.relu, None


def _runs_alone(layer: Layer) -> bool:
    """Whether the layer's own call has to happen."""
    return not layer.built or is_changed(layer, _OWN)


def _is_traced(inputs: Any) -> bool:
    first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
    plain = type(first) is torch.Tensor or isinstance(first, torch.nn.Parameter)
    if not plain or first.device.type == "meta":  # shapes alone: torch loads its compiler for some operations
        return True
    return torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None


def _is_still(inputs: torch.Tensor, layers: Sequence[Layer]) -> bool:
    """Whether no gradient is taken here: neither of the inputs nor of a weight."""
    if not torch.is_grad_enabled():
        return True
    weights = (weight for layer in layers for weight in layer.parameters(recurse=False))
    return not inputs.requires_grad and not any(weight.requires_grad for weight in weights)


def _folds(norm: BatchNormalization, layer: WindowConv, inputs: torch.Tensor) -> bool:
    """Whether the moments are fixed, and the outputs are more than the kernel that would be made for them."""
    if norm.training and norm._trainable:
        return False
    places = inputs.numel() // inputs.shape[layer._layout.channel_axis]
    return places // math.prod(layer.strides) > layer.weight[0].numel()
