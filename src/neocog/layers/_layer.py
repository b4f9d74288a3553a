"""The base of all layers: an `nn.Module` that makes its weights when it learns its input shape."""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from neocog import constraints, initializers, regularizers
from neocog.core import auto_name, dtype_name, floatx, to_tensor, torch_dtype, tree_flatten, tree_map
from neocog.exceptions import ArgumentError, GraphError, NotBuiltError
from neocog.functional import autocasts
from neocog.graph import Node, SymbolicTensor, check_shape, infer_outputs, is_symbolic, module_call
from neocog.layers._arguments import checked_name, legacy_input_shape
from neocog.layers._auto_config import config_from_arguments
from neocog.layers._input_spec import check_input
from neocog.layers._modes import mode, set_trainable
from neocog.layers._shapes import as_shape, shapes_of, shapes_to_symbolic
from neocog.layers._tracking import tracked
from neocog.layers._weight_lists import assign_all, weight_views
from neocog.layers._weights import Variable, WeightSpec, WeightView


class _Calls(threading.local):
    """How deep the present thread is inside layers' calls, and whether any layer ever added a loss."""

    depth = 0
    losses_added = False


_calls = _Calls()


class Layer(nn.Module):
    """A step of a network: configuration in the constructor, weights in `build`, computation in `call`.

    Subclasses override `call(inputs, training=None)` (or torch's `forward`), and, where they have weights,
    `build`.
    Called on a symbolic tensor, a layer joins the graph; called on arrays or tensors, it computes. Without
    `training=…` it follows torch's `train()` / `eval()`; a new layer is in inference mode, as in Keras.

    Args:
        activity_regularizer: regularizer of the outputs, or its name.
        trainable: False freezes the weights.
        dtype: type of the weights and computations; the default is `floatx()`.
        name: name of the layer; made from the class name when None.
        input_shape: shape of one input without the batch; builds the layer at once inside a Sequential.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(torch.ones(2, 3)).shape
        torch.Size([2, 3])
    """

    input_spec: Any = None
    _takes_training = False
    _has_inputs = False  # models: whether they know their Input

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Remember the constructor's arguments: the configuration of classes that define no `get_config`."""
        self = super().__new__(cls)
        object.__setattr__(self, "_constructor_arguments", (args, kwargs))
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _with_settled_weights(cls.__dict__["build"])  # type: ignore[method-assign]
        if "call" in cls.__dict__:
            cls._takes_training = "training" in inspect.signature(cls.__dict__["call"]).parameters

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.training = False  # Keras's default; `model.train()` switches as usual
        self.name = checked_name(name) if name is not None else auto_name(type(self).__name__)
        self.has_user_name = name is not None
        self.built = False
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._dtype = dtype_name(dtype["config"]["name"] if isinstance(dtype, dict) else dtype or floatx())
        self._trainable = bool(trainable)
        self._specs: list[WeightSpec] = []
        self._losses: list[torch.Tensor] = []
        self._nodes: list[Node] = []
        self._build_shapes: Any = None
        self._batch_input_shape = legacy_input_shape(type(self).__name__, kwargs)
        self._initial_weights = kwargs.get("weights")

    # --- weights --------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape; layers without weights need not override it."""
        self._settle(input_shape)

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
        if isinstance(shape, str):  # Keras 2 had the name first
            shape, name = () if name is None else name, shape
        name = name or "variable"
        data = self._initial_values(name, shape, initializer, dtype)
        is_trainable = trainable and data.is_floating_point()
        weight = Variable(data, requires_grad=is_trainable and self._trainable)
        self._specs.append(
            WeightSpec(
                name=name,
                tensor=weight,
                trainable=is_trainable,
                regularizer=regularizers.get(regularizer),
                constraint=constraints.get(constraint),
            )
        )
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
        """Make a weight of a built-in layer: drawn in Keras's layout, kept under torch's name in torch's
        layout.

        Args:
            name: Keras's name (`"kernel"`).
            attribute: torch's name (`"weight"`): parameter, or buffer when not trainable.
            shape: shape in Keras's layout.
            initializer: initializer or its name; sees Keras's layout.
            axes: torch's layout permuted by `axes` is Keras's.
            reshape_to: torch's shape permuted by `axes`, where Keras's shape needs a reshape besides.
            memory_format: how a convolution's kernel lies in memory.
        """
        data = self._initial_values(name, shape, initializer, None)
        if reshape_to is not None:
            data = data.reshape(reshape_to)
        if axes is not None:
            data = data.permute(np.argsort(axes).tolist())
        data = data.contiguous(memory_format=memory_format)
        if trainable:
            self.register_parameter(attribute, Variable(data, requires_grad=self._trainable))
        else:
            self.register_buffer(attribute, data)
        self._specs.append(
            WeightSpec(
                name=name,
                attribute=attribute,
                axes=axes,
                reshape=shape if reshape_to is not None else None,
                trainable=trainable,
                regularizer=regularizer,
                constraint=constraint,
            )
        )

    def _initial_values(self, name: str, shape: Any, initializer: Any, dtype: Any) -> torch.Tensor:
        sizes = check_shape(self.label, () if shape is None else shape)
        if None in sizes:
            raise ArgumentError(
                f'{self.label}: expected a full shape for weight "{name}", got {sizes}. '
                "Give the Input the sizes that the weights depend on."
            )
        wanted = torch_dtype(dtype or self._dtype)
        if initializer is None:
            initializer = "glorot_uniform" if wanted.is_floating_point else "zeros"
        values = initializers.get(initializer)(cast("tuple[int, ...]", sizes), dtype=dtype_name(wanted))
        return to_tensor(values).detach().to(wanted).cpu()

    def _settle(self, input_shape: Any) -> None:
        """Mark the layer as built, and give every weight that no attribute holds a place of its own."""
        self.built = True
        if self._build_shapes is None:
            self._build_shapes = input_shape
        self.name_weights()

    def name_weights(self) -> None:
        """Find the attribute of each weight made by `add_weight`; register those that have none."""
        for spec in self._specs:
            if spec.attribute is not None:
                continue
            found = next((key for key, value in self._parameters.items() if value is spec.tensor), None)
            if found is None:
                base = found = spec.name.replace(".", "_").replace("/", "_")
                number = 0
                while hasattr(self, found):
                    number += 1
                    found = f"{base}_{number}"
                self.register_parameter(found, cast("nn.Parameter", spec.tensor))
            spec.attribute, spec.tensor = found, None

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
        """Overwrite all weights with arrays in Keras's order and layouts; nothing changes if one does not
        fit.
        """
        assign_all(self.label, self.weights, weights)

    def count_params(self) -> int:
        """Return the number of values in all weights."""
        if not self.built:
            raise NotBuiltError(
                f"{self.label}: has no weights yet. Give it an input_shape, or call it on data first."
            )
        return sum(int(view.value.numel()) for view in self.weights)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it reaches the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for spec in self._specs:
            if spec.trainable:
                WeightView(self, spec, spec.name).value.requires_grad_(self._trainable)
        for child in self.children():
            set_trainable(child, self._trainable)

    # --- calling --------------------------------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; overridden by every layer."""
        raise NotImplementedError(f"{type(self).__name__} defines neither `call` nor `forward`.")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run `call` with the mode (`training`) filled in; what torch runs when the layer is called."""
        if self._takes_training and kwargs.get("training") is None:
            kwargs["training"] = self.training
        outputs = self.call(*args, **kwargs)
        if self.activity_regularizer is not None:
            for tensor in tree_flatten(outputs):
                self.add_loss(self.activity_regularizer(tensor) / tensor.shape[0])
        return outputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Join the graph (symbolic inputs) or compute (arrays and tensors), building the layer first if
        needed.
        """
        if is_symbolic(args) or is_symbolic(kwargs):
            return self._record(args, kwargs)
        args, kwargs = tree_map(self._as_tensor, args), tree_map(self._as_tensor, kwargs)
        self._prepare(args, kwargs)
        if args and (self.input_spec is not None or self._has_inputs):
            self.check_inputs(args)
        training = kwargs.get("training")
        if not self._takes_training:
            kwargs.pop("training", None)
        if _calls.depth == 0 and _calls.losses_added:
            forget_losses(self)
        _calls.depth += 1
        try:
            if training is None or bool(training) == self.training:
                return module_call(self, *args, **kwargs)
            with mode(self, bool(training)):
                return module_call(self, *args, **kwargs)
        finally:
            _calls.depth -= 1

    def _record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._prepare(args, kwargs)
        if args:
            self.check_inputs(args)
        if not all(module.built for module in self.modules() if isinstance(module, Layer)):
            self._build_by_running(args, kwargs)
        outputs = self._symbolic_outputs(args, kwargs)
        self._nodes.append(Node(self, args, kwargs, outputs))
        return outputs

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        has_rule = type(self).compute_output_shape is not Layer.compute_output_shape
        plain = len(args) == 1 and not is_symbolic(kwargs)
        if not (has_rule and plain):
            return infer_outputs(self, args, kwargs)
        shapes = self.compute_output_shape(shapes_of(args[0]))
        first = next(leaf for leaf in tree_flatten(args[0]) if isinstance(leaf, SymbolicTensor))
        dtype = self.compute_output_dtype(first.dtype)
        if isinstance(shapes, list):
            return [SymbolicTensor(shape, dtype) for shape in shapes]
        return SymbolicTensor(shapes, dtype)

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Build the layer for these inputs if it has not been built."""
        if self.built:
            return
        self.build(shapes_of(args[0]) if args else shapes_of(next(iter(kwargs.values()), None)))
        self._settle(self._build_shapes)
        tensors = [leaf for leaf in tree_flatten((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        if tensors and tensors[0].device.type not in ("cpu", "meta"):
            self.to(tensors[0].device)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def _build_by_running(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Build the layers inside by running `call` once on zeros: only the code knows what it calls on
        what.
        """

        def zeros(leaf: Any) -> Any:
            if not isinstance(leaf, SymbolicTensor):
                return leaf
            sizes = [1 if axis == 0 else 64 if size is None else size for axis, size in enumerate(leaf.shape)]
            return torch.zeros(sizes, dtype=torch_dtype(leaf.dtype))

        with torch.no_grad():
            self(*tree_map(zeros, args), **tree_map(zeros, kwargs))
        self._losses.clear()

    def check_inputs(self, args: tuple[Any, ...]) -> None:
        """Raise ShapeError where the inputs do not fit; models call it when a layer fails inside."""
        check_input(self.label, self.input_spec, shapes_of(args[0]), self._build_shapes)

    def _as_tensor(self, leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor):
            wrong = leaf.is_floating_point() and self.autocast and leaf.dtype != torch_dtype(self._dtype)
            return leaf.to(torch_dtype(self._dtype)) if wrong and not autocasts(leaf) else leaf
        if isinstance(leaf, WeightView):
            return leaf.tensor()
        if isinstance(leaf, np.ndarray) or hasattr(leaf, "__array__"):
            return to_tensor(leaf)
        return leaf

    def as_float(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return integer inputs as the layer's float type; floats come back as they are."""
        if isinstance(inputs, torch.Tensor) and inputs.is_floating_point():
            return inputs
        return inputs.to(torch_dtype(self._dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs for inputs of this shape, None for unknown sizes."""
        symbolic = shapes_to_symbolic(input_shape, self._dtype)
        self._prepare((symbolic,), {})
        return shapes_of(infer_outputs(self, (symbolic,), {}))

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the outputs: floats stay, everything else becomes the layer's type."""
        return input_dtype if input_dtype.startswith(("float", "bfloat")) else self._dtype

    # --- losses, graph, configuration -----------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, computed in `call`, to what training minimises."""
        _calls.losses_added = True
        for item in loss if isinstance(loss, (list, tuple)) else [loss]:
            self._losses.append(to_tensor(item() if callable(item) else item))

    @property
    def losses(self) -> list[torch.Tensor]:
        """What `add_loss`, activity and weight regularizers add, of this layer and those inside."""
        found: list[torch.Tensor] = []
        for module in self.modules():
            if isinstance(module, Layer):
                found.extend(module._losses)
                found.extend(module.weight_penalties())
        return found

    def own_losses(self) -> list[torch.Tensor]:
        """What this layer alone adds to the loss of the last forward pass."""
        return [*self._losses, *self.weight_penalties()]

    def forget_own_losses(self) -> None:
        """Drop what this layer alone added in the last forward pass."""
        self._losses.clear()

    def may_add_losses(self) -> bool:
        """Whether this layer alone can add to the loss: by regularizers, or because it is not one of neocog's
        own.
        """
        regularized = any(spec.regularizer is not None for spec in self._specs)
        own_code = type(self).__module__.startswith("neocog.")
        return regularized or self.activity_regularizer is not None or not own_code or bool(self._losses)

    def weight_penalties(self) -> list[torch.Tensor]:
        """The weight regularizers' terms of this layer alone."""
        regularized = [spec for spec in self._specs if spec.regularizer is not None and self._trainable]
        return [spec.regularizer(WeightView(self, spec, spec.name).tensor()) for spec in regularized]  # type: ignore[misc]

    @property
    def label(self) -> str:
        """How error texts name the layer: `Dense "head"`."""
        return f'{type(self).__name__} "{self.name}"'

    @property
    def dtype(self) -> str:
        """Type of weights and computations, as a string."""
        return self._dtype

    compute_dtype = dtype
    variable_dtype = dtype

    @property
    def input(self) -> Any:
        """The symbolic input of the first call."""
        node = self._first_node("input")
        return node.args[0] if len(node.args) == 1 else list(node.args)

    @property
    def output(self) -> Any:
        """The symbolic output of the first call."""
        return self._first_node("output").outputs

    def _first_node(self, what: str) -> Node:
        if not self._nodes:
            raise GraphError(
                f"{self.label}: has no {what} yet: it was never called on a symbolic tensor (Input)."
            )
        return self._nodes[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": self._dtype}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config and type(self).__init__ is not Layer.__init__:
            config = config_from_arguments(self, self._constructor_arguments, config)  # type: ignore[arg-type]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make the layer from what `get_config` returned."""
        return cls(**config)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and "_modules" in self.__dict__:
            value = tracked(self, name, value)
        if isinstance(value, nn.Module) and not isinstance(value, Layer) and "training" in self.__dict__:
            value.train(self.training)
        super().__setattr__(name, value)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Any:
        result = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._dtype = dtype_name(fn(torch.empty(0, dtype=torch_dtype(self._dtype))).dtype)
        return result

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy_without_graph(self, memo)

    def extra_repr(self) -> str:
        """Name, in torch's printed form of the module."""
        return f"name={self.name!r}"


def copy_without_graph(layer: Layer, memo: dict[int, Any]) -> Any:
    """Deep-copy a layer, but not the graph that it is part of (a walk through it could be as deep as the
    network).
    """
    new = type(layer).__new__(type(layer))
    memo[id(layer)] = new
    for key, value in layer.__dict__.items():
        object.__setattr__(new, key, [] if key in ("_nodes", "_losses") else copy.deepcopy(value, memo))
    return new


def forget_losses(module: nn.Module) -> None:
    """Drop what the last forward pass added to the loss: the outermost call starts anew."""
    for child in module.modules():
        if isinstance(child, Layer):
            child._losses.clear()


def _with_settled_weights(build: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (as_shape(args[0]), *args[1:])
        result = build(self, *args, **kwargs)
        self._settle(args[0] if args else next(iter(kwargs.values()), None))
        return result

    return wrapped
