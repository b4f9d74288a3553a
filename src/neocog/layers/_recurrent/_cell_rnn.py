"""What SimpleRNN, LSTM and GRU share: a built-in cell, whose arguments are the layer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neocog import regularizers
from neocog.exceptions import ArgumentError, message
from neocog.layers._input_spec import InputSpec
from neocog.layers._recurrent._cell import RecurrentCell
from neocog.layers._recurrent._rnn import RNN

_OWN = ("name", "trainable", "dtype")
_WEIGHTS = ("kernel", "recurrent", "bias")
_OF_CELL = {
    *("units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "reset_after"),
    *("dropout", "recurrent_dropout"),
    *(f"{name}_{kind}" for name in _WEIGHTS for kind in ("initializer", "regularizer", "constraint")),
}


class CellRNN(RNN):
    """Base of the recurrent layers with a built-in cell, whose arguments are attributes of the layer too.

    Args:
        cell: the cell.
        flags: return_sequences, return_state, go_backwards, stateful and unroll.
        use_cudnn: accepted for Keras's sake.
    """

    def __init__(self, cell: RecurrentCell, flags: Sequence[Any], use_cudnn: Any, **kwargs: Any) -> None:
        super().__init__(cell, *flags, **kwargs)
        if use_cudnn not in ("auto", True, False):
            expected = "use_cudnn to be 'auto', True or False"
            raise ArgumentError(message(self.label, expected=expected, got=repr(use_cudnn)))
        self.use_cudnn = use_cudnn
        self.input_spec = InputSpec(ndim=3)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cell, name) if name in _OF_CELL else super().__getattr__(name)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        own = super().get_config()
        del own["cell"]
        of_cell = {key: value for key, value in self.cell.get_config().items() if key not in _OWN}
        activity: dict[str, Any] = {"activity_regularizer": regularizers.serialize(self.activity_regularizer)}
        return {**own, **of_cell, **activity}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the layer; its arguments are all plain values."""
        return cls(**config)


def for_cell(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of a layer that go to its cell, some of them to it alone."""
    shared: dict[str, Any] = {key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs}
    return {"name": name, "implementation": kwargs.pop("implementation", 2), **shared}
