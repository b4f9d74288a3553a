"""`Model`: what trains. A graph between inputs and outputs, or a subclass with a `call` of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torch import nn

from neocog.exceptions import ArgumentError, GraphError, UnknownNameError, nearest
from neocog.files import LoadReport
from neocog.graph import Node, SymbolicTensor, infer_outputs
from neocog.layers import InputLayer, Layer
from neocog.layers._building import build_by_running
from neocog.layers._dense_stack import DenseStack, dense_stack
from neocog.layers._layer import copy_without_graph
from neocog.layers._losses_of_layers import CALLS
from neocog.layers._shapes import shapes_of, shapes_to_symbolic
from neocog.layers.augment._alone import fill_in_mode, is_augmentation
from neocog.models import _files as files
from neocog.models._compile_config import compile_from_config, compile_settings_config
from neocog.models._export import export_model
from neocog.models._freezing import freeze, unfreeze
from neocog.models._functional_config import functional_config, functional_from_config
from neocog.models._graph_arguments import graph_arguments, is_functional_call
from neocog.models._graph_body import GraphBody, copy_body, module_key
from neocog.models._summary import summary_text
from neocog.models._trainer import Trainer


class Model(Trainer):
    """A network that trains: `Model(inputs, outputs)`, or a subclass that defines `call`.

    A model is a layer (models nest) and an `nn.Module` (plain torch loops, `state_dict`, DDP).

    Args:
        inputs: symbolic tensor from `Input`, or list, tuple or dict of them.
        outputs: symbolic tensor, or list, tuple or dict, that layers gave for these inputs.
        name: name of the model.
        trainable: False freezes all weights.

    Raises:
        GraphError: an output needs an input that is not among `inputs`.

    Example:
        >>> from neocog.layers import Dense, Input
        >>> x = Input((4,))
        >>> Model(x, Dense(2)(x)).output_shape
        (None, 2)
    """

    functional_class: ClassVar[type[Model]]
    _mode_given = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """`Model(inputs, outputs)` is a Functional model, as in Keras."""
        if cls is Model and is_functional_call(args, kwargs):
            return Layer.__new__(cls.functional_class, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        functional = is_functional_call(args, kwargs)
        graph = graph_arguments(args, kwargs) if functional else {}
        if args and not functional:
            raise ArgumentError(
                f"{type(self).__name__}: expected Model(inputs, outputs) or keyword arguments, got {args!r}."
            )
        super().__init__(**kwargs)
        self._body: GraphBody | None = None
        self._layers_in_order: list[nn.Module] = []
        self._input_layers: list[InputLayer] = []
        self._graph_order: list[nn.Module] = []  # both, as Keras lists them
        if functional:
            self._set_body(GraphBody(self.label, graph["inputs"], graph["outputs"]))

    # --- the graph ------------------------------------------------------------------------------------------

    def _set_body(self, body: GraphBody) -> None:
        self._body = body
        self._has_inputs = True
        self._layers_in_order = body.operations()
        self._input_layers = body.input_layers()
        self._graph_order = _with_inputs(body, self._input_layers)
        check_unique_names(self.label, [*self._input_layers, *self._layers_in_order])
        present = {id(module) for module in self._modules.values()}
        for module in self._layers_in_order:
            if id(module) not in present:
                key = module_key({*self._modules, *self.__dict__, *dir(type(self))}, module)
                self.add_module(key, module)
        self.built = True
        self._build_shapes = shapes_of(body.inputs_structure)

    def train(self, mode: bool = True) -> Any:
        """Switch to training or inference mode."""
        if CALLS.depth == 0:
            self._mode_given = True
        return super().train(mode)

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the model; a row of augmentations that is called alone augments, as each of them does."""
        if CALLS.depth == 0 and kwargs.get("training") is None and is_augmentation(self):
            fill_in_mode(self, self._mode_given, kwargs)
        return super()._compute(args, kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the graph; subclasses without a graph define their own."""
        if self._body is None:
            raise NotImplementedError(
                f"{self.label}: expected Model(inputs, outputs) or a subclass that defines `call`, got "
                "neither."
            )
        return self._body.run(inputs, mask, training)

    def _runs_its_graph(self) -> bool:
        """Whether a call is a run of the graph, and nothing of the user's."""
        own = type(self).call is Model.call and type(self).forward is Layer.forward
        return self._body is not None and own and not {"call", "forward"} & self.__dict__.keys()

    def dense_stack(self) -> DenseStack | None:
        """Return the model as dense layers one behind the other, where it is nothing else."""
        if self._body is None or not self._runs_its_graph():
            return None
        in_line = self._body.in_line()
        plain = in_line and all(isinstance(layer, Layer) for layer in in_line) and not self._remat
        return dense_stack(self, in_line, self._body.fitted) if in_line and plain else None

    def check_inputs(self, args: tuple[Any, ...]) -> None:
        """Raise ShapeError where the inputs do not fit the model's Input."""
        if self._body is not None:
            self._body.check(args[0])

    def build(self, input_shape: Any = None) -> None:
        """Make all weights for inputs of this shape (the batch included), by running the model once on
        zeros.
        """
        if self._body is None:
            self._build_from_shape(input_shape)

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make all weights for the shapes that `get_build_config` returned."""
        if self._body is None:
            super().build_from_config(config)

    @property
    def has_call(self) -> bool:
        """Whether there is a graph, or a `call` or `forward` of the class's own."""
        cls = type(self)
        return self._body is not None or cls.call is not Model.call or cls.forward is not Layer.forward

    def _build_from_shape(self, input_shape: Any) -> None:
        if not self.has_call:
            return
        self.built = True
        build_by_running(self, (shapes_to_symbolic(input_shape, self._dtype),), {})

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        known = len(args) == 1 and kwargs.keys() <= {"training"} and self._runs_its_graph()
        found = self._body.outputs_for(args[0]) if known and self._body is not None else None
        return infer_outputs(self, args, kwargs) if found is None else found

    def graph_nodes(self) -> list[Node]:
        """The calls that the model's graph is made of, in order; empty for subclassed models."""
        return [] if self._body is None else self._body.program.nodes

    @property
    def layers(self) -> list[Any]:
        """The layers, in order; a functional model's input layers come first."""
        if self._body is not None:
            extra = [m for m in self.children() if not any(m is known for known in self._layers_in_order)]
            return [*self._graph_order, *_flat_layers(extra)]
        return _flat_layers(list(self.children()))

    @property
    def graph_layers(self) -> list[Any] | None:
        """The layers of the graph alone, which files list first; None for subclassed models."""
        return None if self._body is None else list(self._graph_order)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return a layer by name or by its position in `layers`.

        Raises:
            UnknownNameError: no layer has this name; the nearest ones are offered.
        """
        if (name is None) == (index is None):
            raise ArgumentError("get_layer: expected a name or an index, one of the two.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(f"{self.label}: expected an index below {len(layers)}, got {index}.")
            return layers[index]
        names = [getattr(layer, "name", None) or type(layer).__name__ for layer in layers]
        if name not in names:
            close = nearest(str(name), names) or names[:8]
            raise UnknownNameError(
                f"{self.label}: has no layer {name!r}. Nearest: {', '.join(map(repr, close))}."
            )
        return layers[names.index(name)]

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic inputs, as a list."""
        return self._graph("inputs").inputs

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic outputs, as a list."""
        return self._graph("outputs").outputs

    @property
    def input(self) -> Any:
        """The symbolic inputs, nested as they were given."""
        return self._graph("input").inputs_structure

    @property
    def output(self) -> Any:
        """The symbolic outputs, nested as they were given."""
        return self._graph("output").outputs_structure

    @property
    def input_shape(self) -> Any:
        """Shape of the inputs, the batch included."""
        return shapes_of(self._graph("input shape").inputs_structure)

    @property
    def output_shape(self) -> Any:
        """Shape of the outputs, the batch included."""
        return shapes_of(self._graph("output shape").outputs_structure)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in order."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs: those of the layers that gave them."""
        return [output_name(tensor) for tensor in self.outputs] if self._body is not None else []

    def _graph(self, what: str) -> GraphBody:
        if self._body is None:
            raise GraphError(
                f"{self.label}: its {what} is not known, because it has no graph yet. Give it an Input or "
                "input_shape, "
                "or build it; subclassed models have none."
            )
        return self._body

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers as a table: output shapes, parameters, connections.

        Args:
            line_length: width in characters.
            positions: accepted for Keras's sake.
            print_fn: called with the text in place of `print`.
            expand_nested: list the layers of nested models too.
            show_trainable: add a column that says which layers train.
            layer_range: accepted for Keras's sake.
        """
        text = summary_text(
            self, line_length=line_length, expand_nested=expand_nested, show_trainable=show_trainable
        )
        (print_fn or print)(text)

    def freeze(self, until: Any = None) -> None:
        """Freeze the layers up to and with `until`; compile again afterwards.

        Args:
            until: a layer, its name, a nested model, or a block (`"block4"` for `block4_…`); None: all.

        Raises:
            UnknownNameError: no layer or block has this name; the nearest ones are offered.
        """
        freeze(self, until)

    def unfreeze(self, top: Any = None, batch_norm: bool = False) -> None:
        """Let the layers from `top` on train, those of nested models among them; compile again afterwards.

        Args:
            top: number of last layers, a layer, its name, or a block; None: all.
            batch_norm: let BatchNormalization train too; False freezes it there: few images spoil its
                statistics.
        """
        unfreeze(self, top, batch_norm)

    # --- configuration --------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same architecture again; weights are not in it."""
        if self._body is not None:
            return functional_config(self, self._body, self._input_layers)
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the model from what `get_config` returned; weights are drawn anew."""
        if "input_layers" in config:
            inputs, outputs = functional_from_config(config, custom_objects)
            return cls(
                inputs=inputs,
                outputs=outputs,
                name=config.get("name"),
                trainable=config.get("trainable", True),
            )
        return cls(**config)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if self._body is None:
            return copy_without_graph(self, memo)
        for module in self._modules.values():
            memo.setdefault(id(module), copy.deepcopy(module, memo))
        memo[id(self._body)] = copy_body(self._body, memo)
        return copy_without_graph(self, memo)

    # --- files ----------------------------------------------------------------------------------------------

    def to_json(self, **kwargs: Any) -> str:
        """Return the architecture as a JSON text."""
        return files.model_to_json(self, **kwargs)

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write architecture, weights and optimizer state to a `.keras` or `.h5` file, or nothing."""
        files.save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights: `.weights.h5`, `.h5`, `.hdf5` in Keras's layouts, `.safetensors` in torch's."""
        files.save_weights(self, filepath, overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read weights written by `save_weights`, or those of a whole model; all of them or none."""
        files.load_weights(self, filepath, skip_mismatch, **kwargs)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of `compile` as plain values; None before it, or where they have no form."""
        return compile_settings_config(self)

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile the model with what `get_compile_config` returned."""
        compile_from_config(self, config, standard=type(self).compile is Trainer.compile)

    def load_torch_weights(self, source: Any, mapping: Any = None, strict: bool = True) -> LoadReport:
        """Copy a torch `state_dict` (dict, `.pt`, `.pth`, `.safetensors`) onto the model."""
        return files.load_torch_weights(self, source, mapping, strict)

    def export(self, filepath: Any, format: str | None = None, verbose: Any = None, **kwargs: Any) -> None:
        """Write the model for other programs: `format="onnx"` or `"torch"`; arguments as `export_model`'s."""
        export_model(self, filepath, format, verbose=verbose, **kwargs)


def output_name(tensor: SymbolicTensor) -> str:
    """Return the name of an output: that of the layer which gave it."""
    maker = tensor.node.operation if tensor.node is not None else None
    name = getattr(maker, "name", None) if isinstance(maker, nn.Module) else None
    return name if isinstance(name, str) else tensor.name


def _with_inputs(body: GraphBody, input_layers: list[InputLayer]) -> list[nn.Module]:
    """Return input layers and modules of a graph in Keras's order."""
    by_input = {id(tensor): layer for tensor, layer in zip(body.inputs, input_layers, strict=True)}
    items = [by_input.get(id(item), item) for item in body.in_order()]
    return [item for item in items if isinstance(item, nn.Module)]


def check_unique_names(where: str, layers: list[Any]) -> None:
    """Raise GraphError where two different layers have one name."""
    seen: dict[str, Any] = {}
    for layer in layers:
        name = getattr(layer, "name", None)
        if not isinstance(name, str):
            continue
        if name in seen and seen[name] is not layer:
            raise GraphError(
                f"{where}: expected layers of different names, got two called {name!r}. Rename one of them."
            )
        seen[name] = layer


def _flat_layers(modules: list[nn.Module]) -> list[nn.Module]:
    """Layers among modules, those kept in lists and dicts included."""
    found: list[nn.Module] = []
    for module in modules:
        if type(module) in (nn.ModuleList, nn.ModuleDict):
            found.extend(_flat_layers(list(module.children())))
        else:
            found.append(module)
    return found
