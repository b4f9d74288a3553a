"""What a model costs: floating-point operations of one forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.module_tracker import ModuleTracker

from neocog.core import keeping_states, tree_flatten, tree_map
from neocog.exceptions import OutOfMemoryError, message
from neocog.training._memory_errors import LESS, Failure, is_out_of_memory

_FEW = 4  # samples: enough to tell the form of the outputs, cheap however large the batch


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating-point operations as torch's `FlopCounterMode`, whose first use loads the compiler."""

    supports_higher_order_operators = True

    def __init__(self) -> None:
        from torch.utils.flop_counter import flop_registry

        super().__init__()  # type: ignore[no-untyped-call]
        self.formulas, self.found = flop_registry, 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch's way around the compiler begins with loading it: 1.5 seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not isinstance(func, torch._ops.OpOverload):
            return NotImplemented
        with self:
            parts = func.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
        result = func(*args, **kwargs)
        formula = self.formulas.get(func._overloadpacket)
        if formula is not None:
            self.found += formula(*args, **kwargs, out_val=result)
        return result


def counted_forward(model: Any, x: Any) -> tuple[Any, float]:
    """Run the model on a few samples of the batch `x`, in inference mode.

    A model whose batch size is fixed, or which carries states from batch to batch, sees the whole batch.

    Returns:
        The outputs, and the floating-point operations of a sample: matrix products and convolutions are
        counted (two operations a multiply-add), everything else is not.
    """
    few = x if needs_whole_batch(model) else first_samples(x, _FEW)
    # Its hooks make layers run one at a time: torch knows the formulas of no others.
    with torch.no_grad(), keeping_states(model), ModuleTracker(), _Operations() as counter:
        try:
            outputs = model(few, training=False)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or few is x:
                raise
            outputs = None
        if outputs is None:
            few = first_samples(x, 1)
            outputs = _of_one(model, few)
    sizes = [len(leaf) for leaf in tree_flatten(few) if getattr(leaf, "ndim", 0)]
    return outputs, counter.found / max(1, *sizes, 1)


def _of_one(model: Any, x: Any) -> Any:
    """Return the outputs for one sample.

    Raises:
        OutOfMemoryError: it does not fit into memory.
    """
    try:
        return model(x, training=False)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        text = Failure.of(error).text
    raise OutOfMemoryError(
        message("fit", expected="memory for one row", got=f"none left ({text})", do=f"Use {LESS}.")
    )


def first_samples(x: Any, count: int) -> Any:
    """Return the first samples of a nested batch."""
    return tree_map(lambda leaf: leaf[:count] if getattr(leaf, "ndim", 0) else leaf, x)


def needs_whole_batch(model: Any) -> bool:
    """Whether batches must not be split: their size is fixed, or states go from one to the next."""
    fixed = fixed_batch_size(model) is not None
    return fixed or any(getattr(module, "stateful", False) is True for module in model.modules())


def fixed_batch_size(model: Any) -> int | None:
    """Return the size of batches that a model's inputs ask for; None where they take any."""
    try:
        inputs = model.inputs or []
    except (AttributeError, ValueError):  # a subclassed model has no graph
        inputs = []
    return next((int(tensor.shape[0]) for tensor in inputs if tensor.shape[0] is not None), None)
