"""What is exported: a module in inference mode, one tensor an input, a tuple of tensors out."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from neocog.core import torch_dtype, tree_flatten, tree_map
from neocog.exceptions import ArgumentError, NeocogError, message

_EXAMPLE_BATCH = 2  # torch.export takes sizes of 0 and 1 for constants
_EXAMPLE_SIZES = (64, 48)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportInput:
    """One input: its name, its shape with the batch first (None for sizes that stay free), its type."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """What an exporter needs to know of a model.

    Attributes:
        where: how error texts name the model.
        module: called with one (nested) argument.
        inputs: the leaves of that argument, in order.
        structure: the argument, with the inputs' numbers in place of tensors.
        outputs: names of the outputs, in order; numbered where there are fewer names than outputs.
    """

    where: str
    module: nn.Module
    inputs: Sequence[ExportInput]
    structure: Any
    outputs: Sequence[str]


class Exported(nn.Module):
    """A model with a plain signature: tensors in, tensors out, always in inference mode."""

    def __init__(self, plan: ExportPlan) -> None:
        super().__init__()
        self.model = plan.module
        self._structure = plan.structure

    def forward(self, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run the model."""
        arguments = tree_map(lambda leaf: values[leaf], self._structure)
        return tuple(tree_flatten(self.model(arguments)))


def check_exportable(plan: ExportPlan) -> None:
    """Raise ArgumentError where a model takes or makes texts, which only this process can look up."""
    for given in plan.inputs:
        if given.dtype == "string":
            raise _texts(plan.where, f'the input "{given.name}" of texts')
    for module in plan.module.modules():
        if type(module).__name__ in ("TextVectorization", "StringLookup", "Hashing", "HashedCrossing"):
            raise _texts(plan.where, f'{type(module).__name__} "{getattr(module, "name", "")}"')


def _texts(where: str, got: str) -> ArgumentError:
    return ArgumentError(
        message(
            where,
            expected="a model of numbers, to be exported",
            got=got,
            do="Texts are looked up in Python: export the part of the model from the integers on.",
        )
    )


def export_program(plan: ExportPlan) -> Any:
    """Return the model as torch's exported program, the batch and all unknown sizes free.

    Raises:
        ArgumentError: torch cannot export it; the text says why.
    """
    check_exportable(plan)
    module = Exported(plan)
    was_training = [child for child in module.modules() if child.training]
    module.eval()
    try:
        with quietly(), torch.no_grad():
            return _traced(plan, module)
    except NeocogError:
        raise
    except Exception as error:
        raise ArgumentError(
            message(
                plan.where,
                expected="a model whose sizes and paths do not depend on values",
                got=f"an error of torch.export ({reason(error)})",
                do="Give Input all sizes but the batch, and keep decisions on values out of `call`.",
            )
        ) from error
    finally:
        for child in was_training:
            child.training = True


def _traced(plan: ExportPlan, module: nn.Module) -> Any:
    examples = tuple(_example(given, plan.inputs) for given in plan.inputs)
    batch = torch.export.Dim("batch", min=1)
    strict_sizes = tuple(_free_sizes(given, batch, torch.export.Dim.DYNAMIC) for given in plan.inputs)
    try:
        return torch.export.export(module, examples, dynamic_shapes=(strict_sizes,), strict=False)
    except NeocogError:
        raise
    except Exception:  # sizes that must be equal, or multiples of something: let torch find the relations
        sizes = tuple(_free_sizes(given, batch, torch.export.Dim.AUTO) for given in plan.inputs)
        return torch.export.export(module, examples, dynamic_shapes=(sizes,), strict=False)


def _example(given: ExportInput, inputs: Sequence[ExportInput]) -> torch.Tensor:
    free = iter(_EXAMPLE_SIZES * 4)
    sizes = [size if size is not None else next(free) for size in given.shape[1:]]
    batch = _EXAMPLE_BATCH if not given.shape or given.shape[0] is None else given.shape[0]
    dtype = torch_dtype(given.dtype)
    shape = [batch, *sizes] if given.shape else []
    return torch.zeros(shape, dtype=dtype) if not dtype.is_floating_point else torch.rand(shape).to(dtype)


def _free_sizes(given: ExportInput, batch: Any, free: Any) -> dict[int, Any]:
    axes = {axis: free for axis, size in enumerate(given.shape) if size is None and axis}
    return {0: batch, **axes} if given.shape and given.shape[0] is None else axes


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the exporter's remarks about its own parts from the user."""
    loggers = [
        logging.getLogger(name)
        for name in ("torch.onnx", "torch.fx", "torch.export", "onnxscript", "onnx_ir")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def reason(error: BaseException) -> str:
    """Return the innermost cause of an exporter's error as one short line, without colours."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip() or "no text"
    return f"{type(error).__name__}: {' '.join(text.split())[:200]}"
