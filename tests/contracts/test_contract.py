"""The checkers of the contract tests fail when they should."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from contract import check_config, check_documented, check_forgotten, check_public, moved, no_sync

from neocog.core import Registry

X = torch.tensor([1.0, -2.0])


@pytest.mark.parametrize(
    "sync",
    [
        lambda: X.sum().item(),
        lambda: bool(X[0] > 0),
        lambda: float(X[0]),
        lambda: int(X[0]),
        lambda: X[X > 0],
        lambda: X.nonzero(),
        lambda: torch.unique(X),
        lambda: torch.equal(X, X),
        lambda: X.masked_select(X > 0),
        lambda: X.clone().__setitem__(X > 0, torch.ones(1)),
    ],
)
def test_every_sync_is_seen(sync: Any) -> None:
    with pytest.raises(AssertionError, match="waits for the device"), no_sync():
        sync()


def test_work_on_the_device_is_no_sync() -> None:
    with no_sync():
        torch.where(X > 0, X, 0).sum().add_(1).clamp(max=3)[None]


class Good:
    """A class.

    Args:
        size: a number.
    """

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size}


class Forgetful(Good):
    """A class that forgets an argument, here and in its config."""

    def __init__(self, size: int = 1, colour: str = "red") -> None:
        super().__init__(size)


class Stubborn(Good):
    """A class that returns with another size."""

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size + 1}


class Unwritable(Good):
    """A class whose config is no JSON."""

    def get_config(self) -> dict[str, Any]:
        return {"size": {1, 2}}


def registry_of(*entries: type) -> Registry[Any]:
    registry: Registry[Any] = Registry("thing")
    for entry in entries:
        registry.register()(entry)
    return registry


def test_configs_that_lose_something_are_seen() -> None:
    registry = registry_of(Good, Forgetful, Stubborn, Unwritable)
    assert check_config(registry, Good(3)).size == 3
    with pytest.raises(AssertionError, match=r"not in the config: .*colour"):
        check_config(registry, Forgetful())
    with pytest.raises(AssertionError):
        check_config(registry, Stubborn())
    with pytest.raises(TypeError):
        check_config(registry, Unwritable())
    with pytest.raises(AssertionError):
        check_config(registry_of(), Good())


def test_missing_documentation_is_seen() -> None:
    check_documented(Good)
    with pytest.raises(AssertionError, match=r"not in the docstring: .*colour"):
        check_documented(Forgetful)
    with pytest.raises(AssertionError, match="no sentence"):
        check_documented(type("Silent", (), {}))


def test_private_classes_are_seen() -> None:
    package: Any = ModuleType("package")
    package.__all__ = ["Good"]
    package.Good = Good
    check_public(registry_of(Good), package)
    with pytest.raises(AttributeError):
        check_public(registry_of(Stubborn), package)
    package.Stubborn = Stubborn
    with pytest.raises(AssertionError):
        check_public(registry_of(Stubborn), package)
    registry = registry_of(Good)
    registry.register("Good", name="Stubborn")(Stubborn)
    package.__all__.append("Stubborn")
    with pytest.raises(AssertionError):
        check_public(registry, package)


def test_kept_tensors_and_graphs_are_seen() -> None:
    def make() -> torch.Tensor:
        return torch.ones(2, requires_grad=True)

    check_forgotten(make, lambda x: x.detach().sum())
    with pytest.raises(AssertionError, match="is kept"):
        check_forgotten(make, lambda x: x.sum())
    with pytest.raises(AssertionError, match="the tensor is kept"):
        check_forgotten(lambda: torch.ones(2), lambda x: x)


def test_weights_that_stand_still_or_burst_are_seen() -> None:
    one, other = X.numpy(), (2 * X).numpy()
    assert moved([one], [other])
    assert not moved([one], [one])
    with pytest.raises(AssertionError):
        moved([one], [one * float("nan")])
