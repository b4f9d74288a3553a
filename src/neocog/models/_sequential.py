"""A stack of layers, each on the output of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from neocog._old_spellings import warn_old
from neocog.core import TEXT, custom_object_scope, is_text, is_text_list, to_text
from neocog.exceptions import ArgumentError, ArgumentTypeError, NeocogError
from neocog.graph import Input, Node, SymbolicTensor
from neocog.layers import LAYERS, InputLayer, Layer, deserialize, serialize
from neocog.models._graph_body import GraphBody, module_key
from neocog.models._model import Model, check_unique_names


@LAYERS.register(name="Sequential")
class Sequential(Model):
    """A stack of layers with one input and one output.

    The weights are made when the input shape is known: from an `Input` or `input_shape` at the front, from
    `build(shape)`, or from the first data.

    Args:
        layers: layers and torch modules, in order.
        trainable: False freezes all weights.
        name: name of the model.

    Example:
        >>> from neocog.layers import Dense
        >>> model = Sequential([Dense(3, input_shape=(4,)), nn.Sigmoid()])
        >>> model.output_shape
        (None, 3)
    """

    keras_module = "keras"

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self._chain: list[Any] = []  # symbolic tensors: the input, then the output of each layer
        self._given_input: InputLayer | None = None
        self._refresh_later = False
        items = layers if isinstance(layers, Iterable) and not isinstance(layers, nn.Module) else [layers]
        self._add_all([] if layers is None else items)

    def _add_all(self, layers: Iterable[Any]) -> None:
        """Add layers one after another; the graph is made once, after the last."""
        self._refresh_later = True
        for layer in layers:
            self.add(layer)
        self._refresh_later = False
        if len(self._chain) > 1:
            self._refresh()

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: int | str = 0) -> Any:
        """Keras 2's: return the number of the largest output, or for one output whether it is above 0.5."""
        warn_old("Sequential", "predict_classes", "predict(x).argmax(axis=-1), or predict(x) > 0.5")
        found = self.predict(x, batch_size=batch_size, verbose=verbose)
        return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: int | str = 0) -> Any:
        """Keras 2's name of `predict`."""
        warn_old("Sequential", "predict_proba", "predict(x)")
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer, or any `nn.Module`, on top of the stack; an `Input` only at the bottom.

        Raises:
            ArgumentTypeError: it is not a layer.
            ArgumentError: another layer of the stack has its name.
        """
        if isinstance(layer, SymbolicTensor):
            layer = InputLayer(batch_shape=layer.shape, dtype=layer.dtype, name=layer.name)
        if not isinstance(layer, nn.Module):
            raise ArgumentTypeError(
                f"{self.label}: expected layers or torch modules, got {layer!r}. "
                "Give an instance: Dense(10), not Dense; put functions into Lambda."
            )
        if isinstance(layer, InputLayer):
            self._add_input(layer)
            return
        check_unique_names(self.label, [*self._layers_in_order, layer])
        if any(layer is known for known in self._layers_in_order):
            raise ArgumentError(
                f"{self.label}: the layer {getattr(layer, 'name', layer)!r} is in the stack already."
            )
        if isinstance(layer, nn.Module) and not isinstance(layer, Layer):
            layer.train(self.training)
        self.add_module(module_key({*self._modules, *self.__dict__, *dir(type(self))}, layer), layer)
        self._layers_in_order.append(layer)
        if not self._chain:
            self._find_input(layer)
        else:
            self._extend(layer)

    def _add_input(self, layer: InputLayer) -> None:
        if self._layers_in_order or self._chain:
            raise ArgumentError(
                f"{self.label}: an Input stands at the bottom of the stack, before all layers."
            )
        self._given_input = layer
        self._start(layer.output)

    def _find_input(self, first: nn.Module) -> None:
        """Start the graph where the first layer itself says what comes in."""
        shape = getattr(first, "_batch_input_shape", None)
        if shape is not None:
            self._start(Input(batch_shape=shape, dtype=_input_dtype(first)))
        elif isinstance(first, Model) and first._body is not None and len(first.inputs) == 1:
            known = first.inputs[0]
            self._start(Input(batch_shape=known.shape, dtype=known.dtype))

    def _start(self, tensor: SymbolicTensor) -> None:
        self._chain = [tensor]
        for layer in self._layers_in_order:
            self._extend(layer)
        if not self._layers_in_order:
            self._body = None

    def _extend(self, layer: nn.Module) -> None:
        self._chain.append(layer(self._chain[-1]))
        if not self._refresh_later:
            self._refresh()

    def _refresh(self) -> None:
        body = GraphBody(self.label, self._chain[0], self._chain[-1])
        self._body = body
        self._has_inputs = True
        self._input_layers = [self._given_input] if self._given_input is not None else body.input_layers()
        self.built = True
        self._build_shapes = self._chain[0].shape

    @property
    def has_call(self) -> bool:
        """A stack can be called: where its input shape is not known yet, the first data tell it."""
        return True

    def pop(self, rebuild: bool = True) -> Any:
        """Take the last layer from the stack and return it."""
        if not self._layers_in_order:
            raise ArgumentError(f"{self.label}: there is no layer to pop.")
        layer = self._layers_in_order.pop()
        for key, module in list(self._modules.items()):
            if module is layer:
                del self._modules[key]
        if self._chain:
            self._chain.pop()
            if self._layers_in_order:
                self._refresh()
            else:
                self._body, self.built = None, False
        return layer

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Join the graph or compute; the first call with strings makes a stack that reads strings."""
        if args and self._body is None and self._layers_in_order and not self._chain:
            text = to_text(args[0], self.label) if is_text_list(args[0]) else args[0]
            if is_text(text):
                args = (text, *args[1:])
                self._start_or_undo(Input(batch_shape=(None, *text.shape[1:]), dtype=TEXT))
        return super().__call__(*args, **kwargs)

    def _start_or_undo(self, tensor: SymbolicTensor) -> None:
        try:
            self._start(tensor)
        except NeocogError:
            self._chain, self._body = [], None
            raise

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape, the batch included (its size stays free)."""
        if self._body is not None or not self._layers_in_order:
            return
        if input_shape is None or (
            isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], tuple)
        ):
            raise ArgumentError(f"{self.label}: expected one input shape, batch first, got {input_shape!r}.")
        self._start(
            Input(batch_shape=(None, *tuple(input_shape)[1:]), dtype=_input_dtype(self._layers_in_order[0]))
        )

    @property
    def layers(self) -> list[Any]:
        """The layers, in order; the input layer is not counted."""
        return list(self._layers_in_order)

    @property
    def graph_layers(self) -> list[Any]:
        """The layers of the stack, which files list first, as Keras's do."""
        return list(self._layers_in_order)

    def graph_nodes(self) -> list[Node]:
        """The calls of the stack, in order."""
        return [] if self._body is None else self._body.program.nodes

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape after the last layer."""
        for layer in self._layers_in_order:
            if isinstance(layer, Layer):
                input_shape = layer.compute_output_shape(input_shape)
            else:
                return super().compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return name and layers; an input layer stands first where the input shape is known."""
        inputs = [serialize(layer) for layer in self._input_layers] if self._body is not None else []
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype,
            "layers": [*inputs, *(_described(self.label, layer) for layer in self._layers_in_order)],
        }
        if self._body is not None:
            config["build_input_shape"] = self._chain[0].shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the model from what `get_config` returned; weights are drawn anew."""
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        with custom_object_scope(custom_objects or {}):
            model._add_all(deserialize(entry) for entry in config["layers"])
        if config.get("build_input_shape") and model._body is None:
            model.build(tuple(config["build_input_shape"]))
        return model


def _input_dtype(first: nn.Module) -> str:
    """Lookup layers take whole numbers; everything else takes floats."""
    return getattr(first, "input_dtype", None) or "float32"


def _described(where: str, layer: nn.Module) -> Any:
    if not hasattr(layer, "get_config"):
        raise ArgumentTypeError(
            f"{where}: {type(layer).__name__} is a plain torch module and has no configuration. Save the "
            "weights "
            "(save_weights, state_dict), or wrap it in a Layer with get_config."
        )
    return serialize(layer)
