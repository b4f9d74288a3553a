"""What the contract tests of all families share: each checker is shown to fail in test_contract.py."""

from __future__ import annotations

import gc
import inspect
import json
import re
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import neocog
from neocog.core import Registry

# Reading a value, or a shape that depends on values, waits for the device.
SYNCS = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim", "is_nonzero", "equal")


class _NoSync(TorchDispatchMode):
    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__.removesuffix("_dim2")
        if name in SYNCS:
            raise AssertionError(f"{func} waits for the device")
        if name in ("index", "index_put", "index_put_") and any(
            item is not None and item.dtype in (torch.bool, torch.uint8) for item in args[1]
        ):
            raise AssertionError(f"{func} with a mask waits for the device")
        return func(*args, **(kwargs or {}))


@contextmanager
def no_sync() -> Iterator[None]:
    """Fail on every operation that would wait for a GPU."""
    with _NoSync():
        yield


def check_public(registry: Registry[Any], package: ModuleType) -> None:
    """Every registered name and every alias leads to what the package exports."""
    for name, entry in registry.items():
        assert getattr(package, name) is entry, name
        assert name in package.__all__, name
        assert registry.name_of(entry) == name
    for alias, name in registry.aliases().items():
        assert registry.resolve(alias) is registry.resolve(name), alias
        assert alias not in registry.names(), f"{alias} is the name of something else"


def check_documented(entry: Callable[..., Any], besides: frozenset[str] = frozenset()) -> None:
    """The docstring has a sentence, an example, and a line for each argument that the class defines itself.

    Args:
        entry: a class or a function.
        besides: arguments that need no line.
    """
    text = inspect.getdoc(entry) or ""
    assert re.match(r"\S.*?[.:](\n|$)", text, re.DOTALL), f"no sentence: {text[:60]!r}"
    function = entry
    if isinstance(entry, type):
        function = entry.__dict__.get("__init__")
    if function is None:  # the arguments stand where they are defined
        return
    lines = set(re.findall(r"^\s+\*{0,2}(\w+): ", text, re.MULTILINE))
    for group in re.findall(r"^\s+(\w+(?:, \w+)+): ", text, re.MULTILINE):
        lines.update(group.split(", "))
    wanted = set(inspect.signature(function).parameters) - {"self"} - besides
    assert wanted <= lines, f"{entry.__name__}: not in the docstring: {sorted(wanted - lines)}"


def check_config(registry: Registry[Any], made: Any, may_lack: frozenset[str] = frozenset()) -> Any:
    """The config survives JSON, and makes an equal object, which is returned.

    Args:
        registry: of the family.
        made: an object of the family.
        may_lack: arguments that Keras leaves out of its configs where they have their defaults.
    """
    config = registry.describe(made)
    assert config["class_name"] == type(made).__name__
    assert config["registered_name"] is None
    again = registry.make(json.loads(json.dumps(config)))
    assert type(again) is type(made)
    assert plain(again.get_config()) == plain(made.get_config())
    arguments = set(inspect.signature(type(made)).parameters) - {"kwargs", "args", "dtype"}
    missing = arguments - set(made.get_config()) - may_lack
    assert not missing, f"not in the config: {sorted(missing)}"
    return again


def plain(config: Any) -> Any:
    """Return a config with tuples as lists and arrays as numbers, to be compared."""
    if isinstance(config, dict):
        return {key: plain(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [plain(value) for value in config]
    if isinstance(config, (np.ndarray, torch.Tensor)):
        return config.tolist()
    return config


def check_forgotten(make: Callable[[], torch.Tensor], use: Callable[[torch.Tensor], Any]) -> None:
    """`use` may not keep the tensor that it was given, nor the graph behind it."""
    given = make()
    graph = given * 1.0  # what a model's last layer returns
    gone = weakref.ref(given), weakref.ref(graph)
    kept = use(graph)
    del given, graph
    if any(reference() is not None for reference in gone):
        gc.collect()  # slow, and needed only where there is a cycle
    assert gone[0]() is None, "the graph is kept"
    assert gone[1]() is None, "the tensor is kept"
    del kept


def network(*head: Any, features: int = 5, seed: int = 3) -> Any:
    """A small model: one dense layer, then `head`."""
    neocog.utils.set_random_seed(seed)
    return neocog.Sequential([neocog.Input((features,)), neocog.layers.Dense(4, activation="tanh"), *head])


def features(batch: int = 8) -> torch.Tensor:
    """Inputs for `network`."""
    return torch.randn(batch, 5, generator=torch.Generator().manual_seed(9))


def moved(before: list[Any], after: list[Any]) -> bool:
    """Whether some weight changed, and all are finite."""
    assert all(np.isfinite(weight).all() for weight in after)
    return any((a != b).any() for a, b in zip(before, after, strict=True))
