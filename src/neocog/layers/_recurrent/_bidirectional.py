"""A recurrent layer run in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from neocog.core import check_one_of, custom_object_scope
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS, deserialize, serialize

_MERGES = ("sum", "mul", "ave", "concat", None)


@LAYERS.register("bidirectional")
class Bidirectional(Layer):
    """Run a recurrent layer over sequences from both ends, and join the outputs step by step.

    The layer itself serves as a pattern: both directions are new layers with weights of their own.

    Args:
        layer: a recurrent layer.
        merge_mode: how outputs are joined: `"concat"`, `"sum"`, `"mul"`, `"ave"`; None gives a list of both.
        weights: first values of the weights, the forward layer's first.
        backward_layer: the layer of the other direction, with `go_backwards=True`; default: like `layer`.

    Shapes:
        (batch, steps, features) to (batch, 2 · units), with `return_sequences` (batch, steps, 2 · units).

    Example:
        >>> from neocog.layers._recurrent._lstm import LSTM
        >>> Bidirectional(LSTM(4))(torch.ones(2, 5, 3)).shape
        torch.Size([2, 8])

    Reference:
        Schuster and Paliwal, Bidirectional Recurrent Neural Networks, 1997.
    """

    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(weights=weights, **kwargs)
        for given in (layer, backward_layer or layer):
            if not isinstance(given, Layer) or not hasattr(given, "go_backwards"):
                raise ArgumentTypeError(message(self.label, expected="a recurrent layer", got=repr(given)))
        self.merge_mode = check_one_of(self.label, "merge_mode", merge_mode, _MERGES)
        self.forward_layer: Any = _copied(layer, "forward")
        self.backward_layer: Any = backward_layer or _copied(layer, "backward", go_backwards=True)
        self._check_directions()
        for direction in (self.forward_layer, self.backward_layer):
            if hasattr(direction, "zero_output_for_mask"):
                direction.zero_output_for_mask = direction.return_sequences
        self.return_sequences = bool(layer.return_sequences)
        self.return_state = bool(layer.return_state)
        self.stateful = bool(layer.stateful)
        self.input_spec = layer.input_spec

    def _check_directions(self) -> None:
        pair = self.forward_layer, self.backward_layer
        if pair[0].go_backwards == pair[1].go_backwards:
            expected = "layers that go in different directions"
            do = "Give backward_layer go_backwards=True."
            raise ArgumentError(message(self.label, expected=expected, got="the same go_backwards", do=do))
        for name in ("stateful", "return_sequences", "return_state"):
            ours, theirs = (getattr(layer, name) for layer in pair)
            if ours != theirs:
                expected = f"layers with the same {name}"
                raise ArgumentError(message(self.label, expected=expected, got=f"{ours} and {theirs}"))

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both directions."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)

    def call(
        self,
        sequences: torch.Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """Run both directions and join them.

        Args:
            sequences: (batch, steps, …).
            initial_state: the first states, the forward layer's first.
            mask: (batch, steps), False at steps that are left out.
            training: whether to drop inputs and states.
        """
        half = len(initial_state) // 2 if initial_state is not None else 0
        starts = (initial_state[:half], initial_state[half:]) if initial_state is not None else (None, None)
        results = []
        for layer, start in zip((self.forward_layer, self.backward_layer), starts, strict=True):
            given = {"initial_state": start, "mask": mask, "training": training}
            known = {key: value for key, value in given.items() if value is not None}
            results.append(layer(sequences, **known))
        states: list[Any] = []
        if self.return_state:
            states = [state for result in results for state in result[1:]]
            results = [result[0] for result in results]
        if self.return_sequences:
            results[1] = results[1].flip(1)
        output = self._merge(*results)
        if not self.return_state:
            return output
        return [*output, *states] if self.merge_mode is None else [output, *states]

    def _merge(self, forward: torch.Tensor, backward: torch.Tensor) -> Any:
        match self.merge_mode:
            case "concat":
                return torch.cat([forward, backward], -1)
            case "sum":
                return forward + backward
            case "ave":
                return (forward + backward) / 2
            case "mul":
                return forward * backward
        return [forward, backward]

    @property
    def states(self) -> Any:
        """The states that both directions keep, or None."""
        pair = self.forward_layer.states, self.backward_layer.states
        return [*pair[0], *pair[1]] if pair[0] and pair[1] else None

    def reset_state(self) -> None:
        """Set the kept states of both directions to 0."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Return the shape of the output, or a list of shapes where there are several outputs."""
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: list[Any] = []
        if self.return_state:
            shape, states = shape[0], [*shape[1:], *shape[1:]]
        if self.merge_mode is None:
            return [shape, shape, *states]
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        return [shape, *states] if self.return_state else shape

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs: that of the inputs where all steps are returned."""
        mask = previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask
        mask = mask if self.return_sequences else None
        return [mask, mask] if self.merge_mode is None else mask

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize(self.forward_layer),
            "backward_layer": serialize(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make both layers and the one around them."""
        inner = ("layer", "backward_layer")
        made = {key: deserialize(config[key], custom_objects) for key in inner if config.get(key) is not None}
        return cls(**{**config, **made})


def _copied(layer: Layer, direction: str, **changes: Any) -> Any:
    """Return a new layer with the configuration of `layer`; classes inside need no registration."""
    name = f"{direction}_{layer.name.removeprefix(direction + '_')}"
    own = {type(module).__name__: type(module) for module in layer.modules() if isinstance(module, Layer)}
    config = layer.get_config()
    with custom_object_scope({key: cls for key, cls in own.items() if key not in LAYERS}):
        return type(layer).from_config({**config, **changes, "name": name})
