"""The layer that runs a cell over the time steps of sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from neocog.core import torch_dtype, tree_flatten, tree_map, tree_pack
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, message
from neocog.layers._layer import Layer
from neocog.layers._recurrent._cell import RecurrentCell
from neocog.layers._recurrent._loop import Run, run_cell, run_fused, run_steps
from neocog.layers._registry import LAYERS, deserialize, serialize


@LAYERS.register("rnn")
class RNN(Layer):
    """Call a cell on each time step of a sequence, with the states that it returned at the step before.

    A cell is a layer with `state_size` (a size, or a list of sizes) and `call(inputs, states)`, which returns
    the output and the new states; it may have `output_size` and `get_initial_state(batch_size)`. A list of
    cells is stacked.

    Args:
        cell: the cell, or a list of cells.
        return_sequences: True returns the outputs of all steps, False the last one's.
        return_state: True returns a list of the output and the last states.
        go_backwards: True runs from the last step to the first; outputs come in that order.
        stateful: True starts each batch from the states of the one before, until `reset_state`.
        unroll: accepted for Keras's sake.
        zero_output_for_mask: True gives 0 at masked steps, False the output of the step before.

    Shapes:
        (batch, steps, features) to (batch, units), or (batch, steps, units) with `return_sequences`.

    Example:
        >>> from neocog.layers._recurrent._lstm import LSTMCell
        >>> RNN([LSTMCell(8), LSTMCell(4)])(torch.ones(2, 5, 3)).shape
        torch.Size([2, 4])
    """

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = LAYERS.resolve("StackedRNNCells")(cell)
        self.state_size = checked_state_sizes(self.label, cell)
        self.cell = cell
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.unroll = bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self._state_form: Any = None  # how the kept states nest; they are buffers that files leave out

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell for one time step."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))

    # --- calling --------------------------------------------------------------------------------------------

    def call(
        self,
        sequences: torch.Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """Run the cell over the steps.

        Args:
            sequences: (batch, steps, …).
            initial_state: the first states; zeros, or those kept by a stateful layer, by default.
            mask: (batch, steps), False at steps that are left out.
            training: whether to drop inputs and states.
        """
        sequences = self.as_float(sequences)
        if sequences.device.type == "meta":
            return self._without_values(sequences)
        states = self._first_states(sequences, initial_state)
        mask = None if mask is None else tree_flatten(mask)[0].bool()
        if self.go_backwards:
            sequences, mask = sequences.flip(1), None if mask is None else mask.flip(1)
        run = Run(
            mask=mask,
            zeros=self.zero_output_for_mask,
            sequences=self.return_sequences,
            states=self.return_state or self.stateful,
        )
        try:
            output, states = self._run(sequences, states, run, bool(training))
        finally:
            self._draw_dropout_anew()
        if self.stateful:
            self._keep(states)
        return [output, *states] if self.return_state else output

    def _run(self, sequences: torch.Tensor, states: list[Any], run: Run, training: bool) -> tuple[Any, Any]:
        cell = self.cell
        if not isinstance(cell, RecurrentCell):
            extra = {"training": training} if getattr(cell, "_takes_training", False) else {}
            call = cell if callable(cell) else cell.call
            return run_steps(lambda x, old: call(x, old, **extra), sequences.unbind(1), states, run)
        given, kept = cell.drops(sequences[:, 0], states[0]) if training else (None, None)
        if kept is None and cell.fuses() and (given is None or len(given) == 1):
            dropped = sequences if given is None else sequences * given[0].unsqueeze(1)
            return run_fused(cell, dropped, states, run)
        return run_cell(cell, sequences, states, run, given, kept)

    def _draw_dropout_anew(self) -> None:
        for module in self.modules():
            if isinstance(module, RecurrentCell):
                module.reset_dropout_mask()
                module.reset_recurrent_dropout_mask()

    def _without_values(self, sequences: torch.Tensor) -> Any:
        """On torch's meta device there are shapes alone: no need to walk through the steps."""
        shapes = self.compute_output_shape(tuple(sequences.shape))
        return _map_shapes(lambda shape: sequences.new_empty(shape), shapes)

    # --- states ---------------------------------------------------------------------------------------------

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Return the cell's first states, zeros unless it says otherwise, as a list."""
        make = getattr(self.cell, "get_initial_state", None)
        if make is not None:
            made = make(batch_size=batch_size)
            return list(made) if isinstance(made, (list, tuple)) else [made]

        def zeros(size: int) -> torch.Tensor:
            return torch.zeros(batch_size, size, dtype=torch_dtype(self._dtype))

        return [_map_sizes(zeros, sizes) for sizes in self.state_size]

    def _first_states(self, sequences: torch.Tensor, given: Any) -> list[Any]:
        batch = sequences.shape[0]
        kept = self.states
        if given is None and kept is not None:
            if tree_flatten(kept)[0].shape[0] != batch:
                self._refuse_batch(tree_flatten(kept)[0].shape[0], batch)
            given = tree_map(torch.Tensor.clone, kept)  # they are overwritten after the call
        elif given is None:
            given = self.get_initial_state(batch)
        states = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(states) != len(self.state_size):
            expected = f"{len(self.state_size)} initial states"
            raise ArgumentError(message(self.label, expected=expected, got=len(states)))
        return tree_map(lambda state: state.to(sequences), states)  # type: ignore[no-any-return]

    def _refuse_batch(self, kept: int, got: int) -> None:
        raise ShapeError(
            message(
                self.label,
                expected=f"batches of {kept} samples, because it keeps their states (stateful=True)",
                got=got,
                do="Give batches of one size, or a number of samples that it divides.",
            )
        )

    @property
    def states(self) -> Any:
        """The states that a stateful layer keeps, nested like the cell's; None before the first call."""
        if self._state_form is None:
            return None
        count = len(tree_flatten(self._state_form))
        return tree_pack(self._state_form, [getattr(self, f"_state_{number}") for number in range(count)])

    def states_of_rows(self) -> list[torch.Tensor]:
        """Return the kept states one by one: each row of a batch has its own."""
        return [] if self._state_form is None else tree_flatten(self.states)

    def _keep(self, states: list[Any]) -> None:
        self._state_form = tree_map(lambda _: 0, states)
        for number, state in enumerate(tree_flatten(states)):
            old = self._buffers.get(f"_state_{number}")
            if old is None or old.shape != state.shape:
                self.register_buffer(f"_state_{number}", state.detach().clone(), persistent=False)
            else:
                old.copy_(state.detach())

    def reset_state(self) -> None:
        """Set the kept states to 0."""
        for state in self.states_of_rows():
            state.zero_()

    reset_states = reset_state

    def copy_kept(self) -> Any:
        """Return a copy of what calls change; `restore_kept` takes it back."""
        return None if self._state_form is None else tree_map(torch.Tensor.clone, self.states)

    def restore_kept(self, saved: Any) -> None:
        """Set the kept states to what `copy_kept` returned."""
        if saved is not None:
            self._keep(saved)
            return
        for name in [name for name in self._buffers if name.startswith("_state_")]:
            del self._buffers[name]
        self._state_form = None

    # --- shapes, masks, configuration -----------------------------------------------------------------------

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Return the shape of the output, or, with `return_state`, a list of it and the states' shapes."""
        batch, steps = sequences_shape[:2]
        size = self._output_size()
        output = (batch, steps, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return output
        return [output, *(_map_sizes(lambda size: (batch, size), sizes) for sizes in self.state_size)]

    def _output_size(self) -> int:
        size = getattr(self.cell, "output_size", None)
        return int(tree_flatten(self.state_size)[0] if size is None else size)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs: that of the inputs where all steps are returned."""
        mask = None if previous_mask is None else tree_flatten(previous_mask)[0]
        output = mask if self.return_sequences else None
        return [output, *(None for _ in self.state_size)] if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
            "cell": serialize(self.cell),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the layer and its cell."""
        return cls(**{**config, "cell": deserialize(config["cell"], custom_objects)})


def checked_state_sizes(where: str, cell: Any) -> list[Any]:
    """Return the sizes of a cell's states as a list."""
    if not callable(getattr(cell, "call", None)) and not isinstance(cell, nn.Module):
        expected = "a cell with `call(inputs, states)`"
        raise ArgumentTypeError(message(where, expected=expected, got=repr(cell)))
    sizes = getattr(cell, "state_size", None)
    if not isinstance(sizes, (int, list, tuple)):
        expected = "a cell whose `state_size` is a size or a list of sizes"
        raise ArgumentTypeError(message(where, expected=expected, got=repr(sizes)))
    return [sizes] if isinstance(sizes, int) else list(sizes)


def _map_sizes(function: Any, sizes: Any) -> Any:
    return [function(size) for size in sizes] if isinstance(sizes, (list, tuple)) else function(sizes)


def _map_shapes(function: Any, shapes: Any) -> Any:
    return (
        [_map_shapes(function, shape) for shape in shapes] if isinstance(shapes, list) else function(shapes)
    )
