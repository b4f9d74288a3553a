"""The half of a layer that has to do with weights: making, naming, listing, freezing them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from neocog import constraints, regularizers
from neocog.layers._arguments import legacy_weight_name
from neocog.layers._modes import freeze_or_thaw
from neocog.layers._weight_lists import assign_all, count_values, weight_views
from neocog.layers._weight_making import give_attributes, in_torch_layout, initial_values
from neocog.layers._weights import Variable, WeightSpec, WeightView


class WeightOwner(nn.Module):
    """A module whose weights have Keras's names and layouts beside torch's; the base of `Layer`."""

    built: bool
    _dtype: str
    _specs: list[WeightSpec]
    _trainable: bool

    @property
    def label(self) -> str:
        """How error texts name the module."""
        return type(self).__name__

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        name: str | None = None,
    ) -> Variable:
        """Make a weight and return it; assign it to an attribute, or leave it to be kept under its name.

        Args:
            shape: its shape; `()` for a scalar.
            initializer: initializer or its name; Glorot uniform for floats by default, zeros for others.
            dtype: its type; the layer's by default.
            trainable: False keeps it from the optimizer.
            regularizer: adds to the loss.
            constraint: applied after each update.
            name: its name; `"variable"` by default.
        """
        shape, name = legacy_weight_name(shape, name)
        data = initial_values(self.label, name, shape, initializer, dtype or self._dtype)
        learnt = trainable and data.is_floating_point()
        weight = Variable(data, requires_grad=learnt and self._trainable)
        rules = regularizers.get(regularizer), constraints.get(constraint)
        self._specs.append(WeightSpec(name, None, weight, None, None, learnt, *rules))
        return weight

    def make_weight(
        self,
        name: str,
        attribute: str,
        shape: tuple[int, ...],
        initializer: Any,
        *,
        axes: tuple[int, ...] | None = None,
        reshape_to: tuple[int, ...] | None = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> None:
        """Make a weight of a built-in layer: drawn in Keras's layout, kept in torch's, under torch's name.

        Args:
            name: Keras's name (`"kernel"`).
            attribute: torch's name (`"weight"`): parameter, or buffer when not trainable.
            shape: shape in Keras's layout.
            initializer: initializer or its name; sees Keras's layout.
            axes: torch's layout permuted by `axes` is Keras's.
            reshape_to: torch's shape permuted by `axes`, where Keras's shape needs a reshape besides.
            memory_format: how a convolution's kernel lies in memory.
        """
        data = initial_values(self.label, name, shape, initializer, self._dtype)
        data = in_torch_layout(data, axes, reshape_to, memory_format)
        if trainable:
            self.register_parameter(attribute, Variable(data, requires_grad=self._trainable))
        else:
            self.register_buffer(attribute, data)
        back = shape if reshape_to is not None else None
        self._specs.append(WeightSpec(name, attribute, None, axes, back, trainable, regularizer, constraint))

    def name_weights(self) -> None:
        """Find the attribute of each weight made by `add_weight`; register those that have none."""
        give_attributes(self, self._specs)

    @property
    def weights(self) -> list[WeightView]:
        """All weights in Keras's order: own trainable, own others, then those of the layers inside."""
        return weight_views(self)

    @property
    def trainable_weights(self) -> list[WeightView]:
        """The weights that training changes."""
        return [view for view in weight_views(self) if view.value.requires_grad]

    @property
    def non_trainable_weights(self) -> list[WeightView]:
        """Frozen weights and running statistics."""
        return [view for view in weight_views(self) if not view.value.requires_grad]

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[Any]:
        """Return the weights as NumPy arrays, in Keras's order and layouts."""
        return [view.numpy() for view in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Overwrite all weights with arrays in Keras's order and layouts; all of them or, on errors, none."""
        assign_all(self.label, self.weights, weights)

    def count_params(self) -> int:
        """Return the number of values in all weights."""
        return count_values(self.label, self.weights if self.built else None)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it reaches the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        freeze_or_thaw(self, self._specs, self._trainable)
