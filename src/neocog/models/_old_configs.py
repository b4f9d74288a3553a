"""Configurations of Keras 2 and of `.h5` files in today's form, and back into the form of `.h5` files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neocog import layers, losses, metrics, optimizers

_NO_GROUPS = ("DepthwiseConv1D", "DepthwiseConv2D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
_WRAPPERS = ("LossFunctionWrapper", "MeanMetricWrapper", "SumOverBatchSizeMetricWrapper")
_ACCURACIES = ("accuracy", "acc", "crossentropy", "ce")
# Keras finds them in an `.h5` file by their module alone: one has another name inside, one an argument that
# it takes for a function.
_ONLY_BY_MODULE = ("GroupQueryAttention", "Attention")
# Arguments that say nothing any more, dropped from the configuration of any layer.
_GONE: dict[str, tuple[Any, ...]] = {
    "time_major": (False,),
    "implementation": (0, 1, 2),
    "quantization_config": (None,),
    "lora_rank": (None,),
    "input_length": (None,),
    "experimental_run_tf_function": (True, False),
}


def modernized(config: Any) -> Any:
    """Return a configuration with the spellings of Keras 2 replaced; today's comes back unchanged.

    Batch shapes of first layers become input layers, `groups` of layers that have none goes, one axis in a
    list is the axis, types are names, `lr` is `learning_rate`.
    """
    if isinstance(config, list):
        return [modernized(item) for item in config]
    if not isinstance(config, Mapping):
        return config
    config = _with_input(config)
    found = {key: modernized(value) for key, value in config.items()}
    name, inner = found.get("class_name"), found.get("config")
    if name in ("Policy", "PolicyV1") and isinstance(inner, dict):
        return inner.get("name")
    if name == "Model" and isinstance(inner, dict) and "input_layers" in inner:
        found["class_name"] = name = "Functional"
    if isinstance(name, str) and isinstance(inner, dict):
        found["config"] = _object(name, inner)
    return found


def _object(name: str, config: dict[str, Any]) -> dict[str, Any]:
    if name in optimizers.OPTIMIZERS and "lr" in config:
        config["learning_rate"] = config.pop("lr")
    if name in losses.LOSSES or name in metrics.METRICS:
        if config.get("reduction") == "auto":
            config["reduction"] = "sum_over_batch_size"
        if isinstance(config.get("fn"), str) and name not in _WRAPPERS:
            del config["fn"]
    return _layer(name, config) if name in layers.LAYERS else config


def _layer(name: str, config: dict[str, Any]) -> dict[str, Any]:
    batch_shape = config.pop("batch_input_shape", None)
    if batch_shape is not None and name == "InputLayer":
        config["batch_shape"] = batch_shape
    if name in _NO_GROUPS and config.get("groups") == 1:
        del config["groups"]
    if name.endswith("Normalization") and isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    for key, values in _GONE.items():
        if key in config and any(config[key] is value or config[key] == value for value in values):
            del config[key]
    if name == "Embedding":
        config.pop("input_length", None)
    for key, value in config.items():
        if key.endswith("_initializer") and isinstance(value, dict) and isinstance(value.get("config"), dict):
            value["config"].pop("dtype", None)
    return config


def _with_input(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put an input layer first into a Sequential whose first layer says in the older way what comes in."""
    if config.get("class_name") != "Sequential":
        return config
    inner = config.get("config")
    inner = {"layers": inner} if isinstance(inner, list) else inner  # Keras before 2.2
    entries = inner.get("layers") if isinstance(inner, Mapping) else None
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], Mapping):
        return {**config, "config": inner}
    first = entries[0].get("config")
    shape = first.get("batch_input_shape") if isinstance(first, Mapping) else None
    if entries[0].get("class_name") == "InputLayer" or shape is None:
        return {**config, "config": inner}
    inner, first = dict(inner or {}), dict(first or {})
    dtype = first["dtype"] if isinstance(first.get("dtype"), str) else "float32"
    given = {"batch_shape": shape, "dtype": dtype, "name": f"{first.get('name', 'first')}_input"}
    return {
        **config,
        "config": {**inner, "layers": [{"class_name": "InputLayer", "config": given}, *entries]},
    }


def as_legacy(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer's description as `.h5` files have it: class and configuration alone.

    Operations, and classes of the user's own, keep their module, by which Keras finds them.
    """
    found = dict(entry)
    inner = found.get("config")
    chain = found.get("class_name") != "Pipeline"  # the layers of a model; Keras reads a pipeline's in full
    if chain and isinstance(inner, dict) and isinstance(inner.get("layers"), list):
        found["config"] = {**inner, "layers": [as_legacy(layer) for layer in inner["layers"]]}
    own = not str(found.get("module")).startswith("keras") or ".ops." in f"{found.get('module')}."
    if not own and found.get("class_name") not in _ONLY_BY_MODULE:
        for key in ("module", "registered_name", "build_config", "compile_config"):
            found.pop(key, None)
    return found


def training_config(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `compile` as `.h5` files have them, names in full: Keras reads no others."""
    optimizer = settings["optimizer"]
    rest = {key: value for key, value in settings.items() if key != "optimizer"}
    return {
        **rest,
        "loss": _each(settings["loss"], lambda name: _full_name(losses.get(name), name)),
        "metrics": _each(settings["metrics"], _metric_name),
        "weighted_metrics": _each(settings["weighted_metrics"], _metric_name),
        "optimizer_config": {"class_name": optimizer["class_name"], "config": optimizer["config"]},
    }


def compile_config(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `compile` out of an `.h5` file."""
    keys = ("loss", "loss_weights", "metrics", "weighted_metrics")
    found = {key: modernized(training.get(key)) for key in keys}
    sample = training.get("sample_weight_mode")
    if isinstance(found["metrics"], list) and len(found["metrics"]) == 1 and sample is None:
        only = found["metrics"][0]
        found["metrics"] = only if isinstance(only, list) else found["metrics"]
    return {"optimizer": modernized(training.get("optimizer_config")), **found}


def _each(tree: Any, change: Any) -> Any:
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, list):
        return [_each(item, change) for item in tree]
    if isinstance(tree, dict):
        if "class_name" in tree:
            return tree
        return {key: _each(item, change) for key, item in tree.items()}
    return tree


def _metric_name(name: str) -> Any:
    if name in _ACCURACIES:
        return name
    found = metrics.get(name)
    if hasattr(found, "get_config"):
        found.name = name
        return metrics.serialize(found)
    return _full_name(found, name)


def _full_name(found: Any, name: str) -> str:
    return str(getattr(found, "__name__", None) or name) if not hasattr(found, "get_config") else name
