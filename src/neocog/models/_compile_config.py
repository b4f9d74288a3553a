"""The settings of `compile` as plain values, and back: what lets a loaded model train on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from neocog import losses, metrics, optimizers

_NAMES = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "jit_compile")


def compile_settings_config(model: Any) -> dict[str, Any] | None:
    """Return the arguments of `compile` as plain values; None where they are not known or have no plain
    form.
    """
    compiled = getattr(model, "_compiled", None)
    if compiled is None:
        return None
    describe: dict[str, Callable[[], Any]] = {
        "optimizer": lambda: optimizers.serialize(compiled.optimizer),
        "loss": lambda: _described(compiled.loss_argument, losses.serialize),
        "loss_weights": lambda: compiled.loss_weights,
        "metrics": lambda: _described(compiled.metrics_argument, metrics.serialize),
        "weighted_metrics": lambda: _described(compiled.weighted_metrics_argument, metrics.serialize),
    }
    try:
        return {
            **{key: make() for key, make in describe.items()},
            "run_eagerly": False,
            "steps_per_execution": compiled.steps_per_execution,
            "jit_compile": compiled.jit_compile,
        }
    except (NotImplementedError, TypeError, ValueError):
        return None  # a torch optimizer or loss, or a lambda: the model is saved without


def _described(tree: Any, one: Callable[[Any], Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _described(item, one) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_described(item, one) for item in tree]
    if tree is None or isinstance(tree, str):
        return tree
    if isinstance(tree, nn.Module) or getattr(tree, "__name__", "") == "<lambda>":
        raise TypeError("torch's losses and lambdas have no form in files")
    return one(tree() if isinstance(tree, type) else tree)


def compile_from_config(model: Any, settings: Mapping[str, Any], standard: bool) -> None:
    """Compile a model with settings out of a file, and give its optimizer the variables.

    Args:
        model: built, or to be built later.
        settings: what `compile_settings_config` returned.
        standard: whether `compile` is neocog's own; with one of the user's nothing is done, with a warning.
    """
    if not standard:
        text = (
            f"{model.label}: has a `compile` of its own, so it was not compiled when it was loaded. Define "
            "`get_compile_config` and `compile_from_config` beside it, or call `compile`."
        )
        warnings.warn(text, UserWarning, stacklevel=3)
        return
    found = {name: settings[name] for name in _NAMES if name in settings}
    if isinstance(found.get("optimizer"), Mapping):
        found["optimizer"] = optimizers.deserialize(found["optimizer"])
    for name, get in (("loss", losses.get), ("metrics", metrics.get), ("weighted_metrics", metrics.get)):
        found[name] = _made(found.get(name), get)
    model.compile(**found)
    build_optimizer(model)


def _made(tree: Any, get: Callable[[Any], Any]) -> Any:
    if isinstance(tree, Mapping):
        return get(tree) if "class_name" in tree else {key: _made(item, get) for key, item in tree.items()}
    return [_made(item, get) for item in tree] if isinstance(tree, list) else tree


def build_optimizer(model: Any) -> None:
    """Give the optimizer of a built model its variables, unless it has them."""
    optimizer = model.optimizer
    if model.built and hasattr(optimizer, "variables") and not optimizer.built:
        optimizer.build(model.trainable_weights)


def filed_optimizer(model: Any) -> Any:
    """Return the optimizer whose variables a file of this model holds, or None.

    One that was not used yet is copied and built, so that the model's own stays free to be built for what is
    trainable by then.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not hasattr(optimizer, "variables"):
        return None
    if getattr(optimizer, "built", False) or not model.built:
        return optimizer
    copy = optimizers.deserialize(optimizers.serialize(optimizer))
    copy.build(model.trainable_weights)
    return copy
