"""A torch module as a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from neocog.exceptions import ArgumentError, ArgumentTypeError, FileFormatError, message
from neocog.graph import infer_outputs
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


@LAYERS.register("torch_module_wrapper")
class TorchModuleWrapper(Layer):
    """Run a torch module as a layer with a name.

    A plain module may be called on symbolic tensors as well, and a neocog layer is an `nn.Module`; this class
    is for code that was written for Keras. Its configuration cannot hold a module: a file would need a
    pickle, and a pickle runs code. Save weights, and build the model again.

    Args:
        module: any `nn.Module` whose weights are there.
        name: name of the layer.
        output_shape: what `compute_output_shape` returns; None finds out by a run without values.

    Example:
        >>> import torch
        >>> TorchModuleWrapper(nn.Linear(3, 2))(torch.ones(4, 3)).shape
        torch.Size([4, 2])
    """

    module: nn.Module

    def __init__(self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not isinstance(module, nn.Module):
            raise ArgumentTypeError(message(self.label, expected="a torch module", got=type(module).__name__))
        if any(isinstance(m, LazyModuleMixin) and m.has_uninitialized_params() for m in module.modules()):
            raise ArgumentError(
                message(
                    self.label,
                    expected="a module whose weights are there",
                    got="a lazy one",
                    do="Call it on data once before wrapping it.",
                )
            )
        self.module = module
        self.output_shape = output_shape
        self._settle(None)

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Run the module; `training` puts it into its mode, as everywhere."""
        return self.module(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `output_shape`, or what a run without values gives."""
        return super().compute_output_shape(input_shape) if self.output_shape is None else self.output_shape

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return infer_outputs(self, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """Refuse: a torch module has no configuration but a pickle, which could run code when it is opened.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError(
            f"{self.label}: a torch module has no configuration; only a pickle could hold it, and opening "
            "one can run code. Save the weights (`model.save_weights`), and build the model again in code."
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Make the layer from a configuration whose `module` is a module; what a file holds is refused.

        Raises:
            FileFormatError: the module is not an object but a text, a pickle.
        """
        if not isinstance(config.get("module"), nn.Module):
            raise FileFormatError(
                "TorchModuleWrapper: expected a torch module made in code, got one packed in a "
                "configuration. That is a pickle, which can run code: it is not opened. Build the model in "
                "code, and load its weights."
            )
        return cls(**config)
