"""What the cells of SimpleRNN, LSTM and GRU share: arguments, weights, dropout, configuration.

A cell's step has two parts. `project` multiplies the inputs by the kernel, which can be done for all time
steps at once; `advance` adds what the states say. Legend: B samples, T steps, F features, U units, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from neocog import constraints, initializers, regularizers
from neocog.core import check_int, check_number, torch_dtype
from neocog.layers._activation_argument import get_activation, serialize_activation
from neocog.layers._dropout import drop
from neocog.layers._layer import Layer
from neocog.layers._seed_source import SeedSource
from neocog.layers._sizes import known_size
from neocog.layers._views import optional_view, weight_view
from neocog.layers._weights import WeightView

_WEIGHTS = ("kernel", "recurrent_kernel", "bias")
_ARGUMENTS = ("kernel", "recurrent", "bias")  # their names in arguments
Masks = Sequence[torch.Tensor] | None


class RecurrentCell(Layer):
    """Base of the built-in cells.

    Args:
        units: number of units.
        activation: of the outputs.
        recurrent_activation: of the gates; None where there are none.
        use_bias: False leaves the bias out.
        starts: initializers of kernel, recurrent kernel and bias.
        penalties: their regularizers.
        limits: their constraints.
        dropout: share of the inputs to drop in training.
        recurrent_dropout: share of the states to drop in training.
        seed: own seed of the dropout.
        implementation: 1 drops for each gate on its own, 2 alike for all.
    """

    gates = 1
    state_size: int | list[int]
    weight_ih: torch.Tensor  # (G U, F): torch's layout
    weight_hh: torch.Tensor  # (G U, U)
    bias: Any
    bias_initializer: Any

    def __init__(
        self,
        units: int,
        activation: Any,
        recurrent_activation: Any,
        use_bias: bool,
        starts: Sequence[Any],
        penalties: Sequence[Any],
        limits: Sequence[Any],
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_int(self.label, "units", units, minimum=1)
        self.activation = get_activation(activation)
        if recurrent_activation is not None:
            self.recurrent_activation = get_activation(recurrent_activation)
        self.use_bias = bool(use_bias)
        for name, start, penalty, limit in zip(_ARGUMENTS, starts, penalties, limits, strict=True):
            setattr(self, f"{name}_initializer", initializers.get(start))
            setattr(self, f"{name}_regularizer", regularizers.get(penalty))
            setattr(self, f"{name}_constraint", constraints.get(limit))
        self.dropout = check_number(self.label, "dropout", dropout, minimum=0, maximum=1)
        self.recurrent_dropout = check_number(
            self.label, "recurrent_dropout", recurrent_dropout, minimum=0, maximum=1
        )
        self.seed = seed
        self.seed_generator = SeedSource(self.label, seed)
        self._each_gate = self.gates > 1 and (implementation == 1 or self.recurrent_dropout > 0)
        self._dropped: dict[str, list[torch.Tensor]] = {}
        self.state_size = self.output_size = self.units

    def build(self, input_shape: Any) -> None:
        """Make kernel, recurrent kernel and bias."""
        width = self.gates * self.units
        features = known_size(self.label, input_shape, -1)
        shapes = [(features, width), (self.units, width), self.bias_shape()]
        starts = [*(getattr(self, f"{name}_initializer") for name in _ARGUMENTS[:2]), self.bias_start()]
        attributes = ("weight_ih", "weight_hh", "bias")
        for place, (name, argument) in enumerate(zip(_WEIGHTS, _ARGUMENTS, strict=True)):
            if name == "bias" and not self.use_bias:
                self.register_parameter("bias", None)
                continue
            self.make_weight(
                name,
                attributes[place],
                shapes[place],
                starts[place],
                axes=None if name == "bias" else (1, 0),
                regularizer=getattr(self, f"{argument}_regularizer"),
                constraint=getattr(self, f"{argument}_constraint"),
            )

    def bias_shape(self) -> tuple[int, ...]:
        """Return the bias's shape."""
        return (self.gates * self.units,)

    def bias_start(self) -> Any:
        """Return the bias's initializer."""
        return self.bias_initializer

    # --- one step -------------------------------------------------------------------------------------------

    def call(self, inputs: torch.Tensor, states: Any, training: bool | None = None) -> Any:
        """Return the output of one time step, and the new states."""
        nested = isinstance(states, (list, tuple))
        given, kept = self.drops(inputs, states[0] if nested else states) if training else (None, None)
        projected = self.project(self.as_float(inputs), given)
        output, new = self.advance(projected, list(states) if nested else [states], kept)
        return output, new if nested else new[0]

    def project(self, inputs: torch.Tensor, drops: Masks = None) -> torch.Tensor:
        """Return what the inputs (…, F) add to the gates, (…, G U)."""
        bias = self.input_bias()
        if drops is None:
            return F.linear(inputs, self.weight_ih, bias)
        if len(drops) == 1:
            return F.linear(inputs * drops[0], self.weight_ih, bias)
        parts = zip(drops, self.weight_ih.chunk(self.gates), strict=True)
        projected = torch.cat([F.linear(inputs * drop, weight) for drop, weight in parts], -1)
        return projected if bias is None else projected + bias

    def recur(self, state: torch.Tensor, drops: Masks = None, bias: Any = None) -> torch.Tensor:
        """Return what the state (B, U) adds to the gates, (B, G U)."""
        if drops is None:
            return F.linear(state, self.weight_hh, bias)
        parts = zip(drops, self.weight_hh.chunk(len(drops)), strict=True)
        added = torch.cat([F.linear(state * drop, weight) for drop, weight in parts], -1)
        return added if bias is None else added + bias

    def input_bias(self) -> torch.Tensor | None:
        """Return the part of the bias that is added to the projected inputs."""
        return self.bias  # type: ignore[no-any-return]

    def advance(
        self, projected: torch.Tensor, states: list[torch.Tensor], drops: Masks = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the output of a step and the new states, from the projected inputs (B, G U)."""
        raise NotImplementedError

    def fuses(self) -> bool:
        """Whether torch has a kernel for whole sequences that computes the same."""
        return False

    def fused(
        self, inputs: torch.Tensor, states: list[torch.Tensor], lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the outputs (B, T, U) and the last states, by torch's kernel.

        Args:
            inputs: (B, T, F).
            states: the first states, (B, U) each.
            lengths: number of steps of each sample, 1 or more, after which its states are returned.
        """
        raise NotImplementedError

    # --- dropout --------------------------------------------------------------------------------------------

    def drops(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[Masks, Masks]:
        """Return what inputs (B, F) and state (B, U) are multiplied by in training, None for nothing."""
        return (
            self._drawn("inputs", inputs, self.dropout),
            self._drawn("states", state, self.recurrent_dropout),
        )

    def _drawn(self, kind: str, like: torch.Tensor, rate: float) -> Masks:
        if not rate:
            return None
        masks = self._dropped.get(kind)
        if masks is None or masks[0].shape != like.shape or masks[0].device != like.device:
            ones = torch.ones_like(like, dtype=torch_dtype(self._dtype))
            count = self.gates if self._each_gate else 1
            masks = [drop(ones, rate, ones.shape, self.seed_generator) for _ in range(count)]
            self._dropped[kind] = masks
        return masks

    def get_dropout_mask(self, step_input: torch.Tensor) -> Any:
        """Return what inputs are multiplied by in training, drawn once until `reset_dropout_mask`."""
        return _one_or_all(self._drawn("inputs", step_input, self.dropout))

    def get_recurrent_dropout_mask(self, step_input: torch.Tensor) -> Any:
        """Return what states are multiplied by in training, drawn once until it is reset."""
        return _one_or_all(self._drawn("states", step_input, self.recurrent_dropout))

    def reset_dropout_mask(self) -> None:
        """Draw anew for the next inputs."""
        self._dropped.pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Draw anew for the next states."""
        self._dropped.pop("states", None)

    # --- states, weights, configuration ---------------------------------------------------------------------

    def get_initial_state(self, batch_size: int | None = None) -> list[torch.Tensor]:
        """Return states of zeros for so many samples."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        like = self.weight_hh if self.built else torch.empty(0, dtype=torch_dtype(self._dtype))
        count = 0 if batch_size is None else batch_size  # perhaps symbolic, while a model is exported
        return [like.new_zeros((count, size)) for size in sizes]

    @property
    def kernel(self) -> WeightView:
        """The kernel in Keras's layout, (features, gates · units)."""
        return weight_view(self, "kernel")

    @property
    def recurrent_kernel(self) -> WeightView | None:
        """The recurrent kernel in Keras's layout, (units, gates · units)."""
        return optional_view(self, "recurrent_kernel")

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """Return the shapes of the output and the new states."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [(input_shape[0], self.units), [(input_shape[0], size) for size in sizes]]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = {**super().get_config(), "units": self.units, "use_bias": self.use_bias}
        config["activation"] = serialize_activation(self.activation)
        if hasattr(self, "recurrent_activation"):
            config["recurrent_activation"] = serialize_activation(self.recurrent_activation)
        for name in _ARGUMENTS:
            config[f"{name}_initializer"] = initializers.serialize(getattr(self, f"{name}_initializer"))
            config[f"{name}_regularizer"] = regularizers.serialize(getattr(self, f"{name}_regularizer"))
            config[f"{name}_constraint"] = constraints.serialize(getattr(self, f"{name}_constraint"))
        rates = {"dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout}
        return {**config, **rates, "seed": self.seed}


def _one_or_all(masks: Masks) -> Any:
    return masks[0] if masks is not None and len(masks) == 1 else masks
