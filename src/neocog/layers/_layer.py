"""The base of all layers: an `nn.Module` that makes its weights when it learns its input shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from neocog import regularizers
from neocog.core import (
    DTypePolicy,
    auto_name,
    dtype_name,
    get_dtype_policy,
    serialize_dtype_policy,
    torch_dtype,
    tree_flatten,
    tree_map,
)
from neocog.graph import MASKS, Node, RematMode, is_symbolic, module_call, remat_mode
from neocog.layers import _filed
from neocog.layers._arguments import checked_name, legacy_input_shape
from neocog.layers._auto_config import config_from_arguments
from neocog.layers._building import build_by_running, build_for, with_settled_weights
from neocog.layers._copying import copy_without_graph
from neocog.layers._input_spec import check_input
from neocog.layers._inputs import as_input
from neocog.layers._losses_of_layers import CALLS, loss_tensors, weight_penalties
from neocog.layers._masks import call_arguments, call_with_masks, note_masks, note_own_masks
from neocog.layers._metrics_of_layers import add_metric
from neocog.layers._modes import mode
from neocog.layers._precision import INSIDE, call_with_care
from neocog.layers._remat import call_again
from neocog.layers._shapes import shapes_of
from neocog.layers._signature import ConstructorSignature
from neocog.layers._symbolic_call import first_node, shapes_by_running, symbolic_outputs
from neocog.layers._text_inputs import refuse_text
from neocog.layers._tracking import tracked
from neocog.layers._weight_owner import WeightOwner
from neocog.layers._weights import WeightSpec

__all__ = ["Layer", "copy_without_graph", "forget_losses"]


class Layer(WeightOwner):
    """A step of a network: configuration in the constructor, weights in `build`, computation in `call`.

    Subclasses override `call(inputs, training=None)` (or torch's `forward`), and, where they have weights,
    `build`. Called on a symbolic tensor, a layer joins the graph; called on arrays or tensors, it computes.
    Without `training=…` it follows torch's `train()` / `eval()`; a new layer is in inference mode, as in
    Keras.

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

    __signature__ = ConstructorSignature()
    input_spec: Any = None
    _mixed_policy: DTypePolicy | None = None
    _runs_user_code = False
    supports_masking = False  # whether outputs carry a mask: that of the input, or what `compute_mask` says
    makes_masks = False  # whether outputs carry one where inputs have none
    changes_masks = False  # whether `compute_mask` is more than handing on
    _call_arguments: tuple[str, ...] = ()
    takes_text = False  # whether it reads strings, which come as NumPy arrays; users' own layers may
    _takes_training = False
    _warned_of_masks = False
    _remat: RematMode | None = None  # how activations are computed again, where they are not kept
    _has_inputs = False  # models: whether they know their Input

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Remember the constructor's arguments: the configuration of classes that define no `get_config`."""
        self = super().__new__(cls)
        object.__setattr__(self, "_constructor_arguments", (args, kwargs))
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__module__.startswith("neocog.")
        if "takes_text" not in cls.__dict__ and not own:
            cls.takes_text = True
        if "_runs_user_code" not in cls.__dict__ and not own:
            cls._runs_user_code = True
        if "build" in cls.__dict__:
            cls.build = with_settled_weights(cls.__dict__["build"])  # type: ignore[method-assign]
        if "call" in cls.__dict__:
            cls._call_arguments = call_arguments(cls.__dict__["call"])
            cls._takes_training = "training" in cls._call_arguments
        if "compute_mask" in cls.__dict__:
            note_own_masks(cls)

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
        self.dtype_policy = dtype
        self._trainable = bool(trainable)
        self._specs: list[WeightSpec] = []
        self._losses: list[torch.Tensor] = []
        self._nodes: list[Node] = []
        self._build_shapes: Any = None
        self._batch_input_shape = legacy_input_shape(type(self).__name__, kwargs)
        self._initial_weights = kwargs.get("weights")
        how = remat_mode()
        if how is not None:
            self._remat = how

    # --- weights --------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape; layers without weights need not override it."""
        self._settle(input_shape)

    def _settle(self, input_shape: Any) -> None:
        """Mark the layer as built, and give every weight that no attribute holds a place of its own."""
        self.built = True
        if self._build_shapes is None:
            self._build_shapes = input_shape
        self.name_weights()

    # --- calling --------------------------------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; overridden by every layer."""
        raise NotImplementedError(f"{type(self).__name__} defines neither `call` nor `forward`.")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run `call` with the mode (`training`) filled in; what torch runs when the layer is called."""
        if self._takes_training and kwargs.get("training") is None:
            kwargs["training"] = self.training
        plain = self._mixed_policy is None and not INSIDE.mixed and not self._runs_user_code
        if self._remat is not None:
            outputs = call_again(self, self._remat, args, kwargs)
        else:
            outputs = self.call(*args, **kwargs) if plain else call_with_care(self, args, kwargs)
        if self.activity_regularizer is not None:
            for tensor in tree_flatten(outputs):
                self.add_loss(self.activity_regularizer(tensor) / tensor.shape[0])
        return outputs

    def run_at_once(self, inputs: Any) -> Any:
        """Do what torch's own call of the layer does, in fewer frames where nobody watches or changed it."""
        hooks = self._forward_hooks or self._forward_pre_hooks
        hooks = hooks or self._backward_hooks or self._backward_pre_hooks
        special = self._remat or self._mixed_policy or self.activity_regularizer or self._runs_user_code
        own = type(self).forward is not _FORWARD or "forward" in self.__dict__
        if hooks or special or own or INSIDE.mixed:
            return module_call(self, inputs)
        if self._takes_training:
            return self.call(inputs, training=self.training)
        return self.call(inputs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Join the graph (symbolic inputs) or compute (arrays and tensors); builds the layer if needed."""
        if is_symbolic(args) or is_symbolic(kwargs):
            return self._record(args, kwargs)
        convert = partial(as_input, self)
        args, kwargs = tree_map(convert, args), tree_map(convert, kwargs)
        if not self.built:
            build_for(self, args, kwargs)
        if args and (self.input_spec is not None or self._has_inputs):
            self.check_inputs(args)
        if MASKS.used or self.makes_masks or "mask" in kwargs:
            return call_with_masks(self, args, kwargs)
        return self._compute(args, kwargs)

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        training = kwargs.get("training")
        if not self._takes_training:
            kwargs.pop("training", None)
        if CALLS.depth == 0 and CALLS.losses_added:
            forget_losses(self)
        said, outermost = CALLS.mode_said, CALLS.outermost
        if outermost is None:
            CALLS.outermost = self
        CALLS.depth += 1
        CALLS.mode_said = said or training is not None
        try:
            if training is None or bool(training) == self.training:
                return module_call(self, *args, **kwargs)
            with mode(self, bool(training)):
                return module_call(self, *args, **kwargs)
        finally:
            CALLS.depth -= 1
            CALLS.mode_said, CALLS.outermost = said, outermost

    def _record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        refuse_text(self, (args, kwargs))
        if not self.built:
            build_for(self, args, kwargs)
        if args:
            self.check_inputs(args)
        if not all(module.built for module in self.modules() if isinstance(module, Layer)):
            build_by_running(self, args, kwargs)
        outputs = self._symbolic_outputs(args, kwargs)
        note_masks(self, args, kwargs, outputs)
        self._nodes.append(Node(self, args, kwargs, outputs))
        return outputs

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        has_rule = type(self).compute_output_shape is not Layer.compute_output_shape
        return symbolic_outputs(self, args, kwargs, has_rule=has_rule)

    def check_inputs(self, args: tuple[Any, ...]) -> None:
        """Raise ShapeError where the inputs do not fit; models call it when a layer fails inside."""
        check_input(self.label, self.input_spec, shapes_of(args[0]), self._build_shapes)

    def as_float(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return integer inputs as the layer's float type; floats come back as they are."""
        if isinstance(inputs, torch.Tensor) and inputs.is_floating_point():
            return inputs
        return inputs.to(torch_dtype(self._dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs for inputs of this shape, None for unknown sizes."""
        return shapes_by_running(self, input_shape)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the outputs: floats stay, everything else becomes the layer's type."""
        if self._mixed_policy is not None:
            return self.compute_dtype
        return input_dtype if input_dtype.startswith(("float", "bfloat")) else self._dtype

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs; overridden by layers that make or change masks."""
        return previous_mask

    # --- files ----------------------------------------------------------------------------------------------

    get_build_config = _filed.get_build_config
    build_from_config = _filed.build_from_config
    save_own_variables = _filed.save_own_variables
    load_own_variables = _filed.load_own_variables

    # --- losses, graph, configuration -----------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, computed in `call`, to what training minimises."""
        CALLS.losses_added = True
        self._losses.extend(loss_tensors(loss))

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = None) -> None:
        """Track the mean of a value computed in `call`; Keras 2's way, today a `metrics.Mean` does it."""
        add_metric(self, value, name, aggregation)

    @property
    def losses(self) -> list[torch.Tensor]:
        """What `add_loss`, activity and weight regularizers add, of this layer and those inside."""
        inside = (module for module in self.modules() if isinstance(module, Layer))
        return [loss for layer in inside for loss in (*layer._losses, *layer.weight_penalties())]

    def own_losses(self) -> list[torch.Tensor]:
        """What this layer alone adds to the loss of the last forward pass."""
        return [*self._losses, *self.weight_penalties()]

    def forget_own_losses(self) -> None:
        """Drop what this layer alone added in the last forward pass."""
        self._losses.clear()

    def may_add_losses(self) -> bool:
        """Whether this layer alone can add to the loss: by regularizers, or by code that is not neocog's."""
        regularized = any(spec.regularizer is not None for spec in self._specs)
        own_code = type(self).__module__.startswith("neocog.")
        return regularized or self.activity_regularizer is not None or not own_code or bool(self._losses)

    def weight_penalties(self) -> list[torch.Tensor]:
        """The weight regularizers' terms of this layer alone."""
        return weight_penalties(self, self._specs) if self._trainable else []

    @property
    def label(self) -> str:
        """How error texts name the layer: `Dense "head"`."""
        return f'{type(self).__name__} "{self.name}"'

    @property
    def dtype(self) -> str:
        """Type of weights and computations, as a string."""
        return self._dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """Type of the computations: another than that of the weights where the policy is mixed."""
        return self._dtype if self._mixed_policy is None else self._mixed_policy.compute_dtype

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy: types of weights and computations. Set it to a policy, a name or a config."""
        return self._mixed_policy or DTypePolicy(self._dtype)

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = get_dtype_policy(value)
        self._dtype = policy.variable_dtype
        self._mixed_policy = policy if policy.is_mixed else None

    @property
    def input(self) -> Any:
        """The symbolic input of the first call."""
        node = first_node(self.label, self._nodes, "input")
        return node.args[0] if len(node.args) == 1 else list(node.args)

    @property
    def output(self) -> Any:
        """The symbolic output of the first call."""
        return first_node(self.label, self._nodes, "output").outputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        mixed = self._mixed_policy
        config["dtype"] = self._dtype if mixed is None else serialize_dtype_policy(mixed)
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

    __deepcopy__ = copy_without_graph

    def extra_repr(self) -> str:
        """Name, in torch's printed form of the module."""
        return f"name={self.name!r}"


def forget_losses(module: nn.Module) -> None:
    """Drop what the last forward pass added to the loss: the outermost call starts anew."""
    for child in module.modules():
        if isinstance(child, Layer):
            child._losses.clear()


_FORWARD = Layer.forward  # what `run_at_once` stands for
