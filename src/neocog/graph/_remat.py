"""Activations that are not kept but computed once more when their gradient is needed, under Keras's names.

What is computed again leaves no trace: random numbers are those of the first time, running statistics, losses
that layers add and metrics inside count once.

Reference: Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from neocog.core import check_int, check_one_of, common_state, drawing_again, on_rows, own_rows

MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematMode(NamedTuple):
    """How a layer that was made in a `RematScope` is computed again."""

    mode: str | None
    output_size_threshold: int
    layer_names: tuple[str, ...]


class _Here(threading.local):
    """The scopes that the thread is in, and whether it computes something that will be computed again."""

    def __init__(self) -> None:
        self.scopes: list[RematScope] = []
        self.inside = False


_here = _Here()


class RematScope:
    """Layers and models made in this scope don't keep their activations for the backward pass.

    Args:
        mode: `"full"` (a model in √n stretches of its n layers, a layer or a model inside another as one),
            `"activations"` (the `activation` of layers that have one), `"larger_than"` (layers with more than
            `output_size_threshold` outputs a sample), `"list_of_layers"` (those in `layer_names`), or None.
        output_size_threshold: for `"larger_than"`.
        layer_names: for `"list_of_layers"`.

    Raises:
        ArgumentError: another mode.

    Example:
        >>> from neocog import layers
        >>> with RematScope("list_of_layers", layer_names=["wide"]):
        ...     wide = layers.Dense(3, name="wide")
        >>> x = torch.ones(2, 4, requires_grad=True)
        >>> wide(x).sum().backward()
        >>> x.grad.shape
        torch.Size([2, 4])

    Reference:
        Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016.
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        self.mode: str | None = check_one_of("RematScope", "mode", mode, MODES)
        self.output_size_threshold = check_int(
            "RematScope", "output_size_threshold", output_size_threshold, minimum=0
        )
        self.layer_names = list(layer_names or [])

    def __enter__(self) -> RematScope:
        _here.scopes.append(self)
        return self

    def __exit__(self, *details: object) -> None:
        _here.scopes.pop()


def remat_mode() -> RematMode | None:
    """Return how layers that are made now are computed again; None where they keep their activations."""
    if not _here.scopes or _here.scopes[-1].mode is None:
        return None
    scope = _here.scopes[-1]
    return RematMode(scope.mode, scope.output_size_threshold, tuple(scope.layer_names))


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that computes the same as `f` and does not keep its activations.

    Args:
        f: a function, or a layer or model (its running statistics move once).

    Example:
        >>> x = torch.tensor(2.0, requires_grad=True)
        >>> remat(lambda x: (x * x).sin())(x).backward()
        >>> bool(x.grad == 4 * torch.tensor(4.0).cos())
        True
    """
    owner = f if isinstance(f, nn.Module) else getattr(f, "__self__", None)
    modules = [owner] if isinstance(owner, nn.Module) else []

    @functools.wraps(f, updated=())
    def again(*args: Any, **kwargs: Any) -> Any:
        return computed_again(f, modules, *args, **kwargs)

    return again


def computed_again(
    function: Callable[..., Any], modules: Iterable[nn.Module], /, *args: Any, **kwargs: Any
) -> Any:
    """Call a function; what it keeps for the backward pass is dropped and computed again there.

    Args:
        function: what is called; inside another such call, simply that.
        modules: those whose state it changes.
        args, kwargs: its arguments.
    """
    if _here.inside or not torch.is_grad_enabled():
        return function(*args, **kwargs)
    inner = list({id(part): part for module in modules for part in module.modules()}.values())
    before, draws = _State.of(inner), common_state()

    def contexts() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
        return nullcontext(), _both(_as_then(inner, before), drawing_again(draws))

    def run(*args: Any, **kwargs: Any) -> Any:
        was, _here.inside = _here.inside, True
        try:
            return function(*args, **kwargs)
        finally:
            _here.inside = was

    return checkpoint(run, *args, use_reentrant=False, context_fn=contexts, **kwargs)


@contextmanager
def _as_then(modules: list[nn.Module], then: _State) -> Iterator[None]:
    """Inside the block, modules are as they were before the first time; afterwards as they are now."""
    now = _State.of(modules)
    then.put_back(modules)
    try:
        with on_rows(then.rows):
            yield
    finally:
        now.put_back(modules)


@dataclass(slots=True)
class _State:
    """What a call changes in modules, and what it depends on besides weights and torch's generators."""

    modes: list[bool]
    buffers: list[tuple[torch.Tensor, torch.Tensor]]
    seeds: list[tuple[Any, int | None, int]]
    losses: list[tuple[list[Any], list[Any]]]
    metrics: list[tuple[Any, Any]]
    rows: Any
    common: torch.Tensor | None

    @classmethod
    def of(cls, modules: list[nn.Module]) -> _State:
        values = [value for module in modules for value in vars(module).values()]
        buffers = [value for module in modules for value in module.buffers(recurse=False)]
        rows = own_rows()
        generator = None if rows is None else rows.common
        return cls(
            [module.training for module in modules],
            [(value, value.detach().clone()) for value in buffers],
            [(value, value.seed, value.count) for value in values if _is_seed(value)],
            [
                (held, list(held))
                for held in (getattr(m, "_losses", None) for m in modules)
                if held is not None
            ],
            [(value, value.state_dict()) for value in values if hasattr(value, "update_state")],
            rows,
            None if generator is None else generator.get_state(),
        )

    def put_back(self, modules: list[nn.Module]) -> None:
        for module, training in zip(modules, self.modes, strict=True):
            module.training = training
        with torch.no_grad():
            for value, copy in self.buffers:
                value.copy_(copy)
        for seed, number, count in self.seeds:
            seed.seed, seed.count = number, count
        for held, losses in self.losses:
            held[:] = losses
        for metric, state in self.metrics:
            metric.load_state_dict(state)
        if self.common is not None:
            self.rows.common.set_state(self.common)


def _is_seed(value: Any) -> bool:
    return hasattr(value, "next") and hasattr(value, "count") and hasattr(value, "seed")


@contextmanager
def _both(first: AbstractContextManager[Any], second: AbstractContextManager[Any]) -> Iterator[None]:
    with first, second:
        yield
