"""Models to and from files: thin callers of the floor `files`, which knows the formats and their dangers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from neocog import files, losses, metrics, optimizers
from neocog.core import custom_object_scope
from neocog.data import check_known_file
from neocog.exceptions import ArgumentError, FileFormatError, StorageError
from neocog.layers import deserialize, serialize


def save_model(model: Any, filepath: Any, *, overwrite: bool = True) -> None:
    """Write architecture, weights and the settings of `compile` in the format that the suffix names."""
    path = Path(filepath)
    kind = files.format_of(path)
    if kind is files.Format.SAFETENSORS:
        raise ArgumentError(
            f"{path.name}: expected a name that ends in .keras (or .h5), got {path.suffix!r}, which "
            "holds weights alone. Use save_weights for it."
        )
    _check_overwrite(path, overwrite)
    if kind is files.Format.KERAS:
        files.write_keras_archive(path, model_config(model), files.weights_h5_bytes(model))
    else:
        files.save_model_h5(model_config(model), model, path)


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Read a model from a `.keras` file, or from an `.h5` file that neocog wrote.

    Classes come from neocog's registries and from `custom_objects` alone; no code in the file is run.

    Args:
        filepath: a `.keras` file, by neocog or Keras 3, or an `.h5` or `.hdf5` file by neocog.
        custom_objects: name to class or function, for what the file names beyond neocog's own.
        compile: apply the settings of `compile` that the file holds.
        safe_mode: accepted for Keras's sake: no code in a file is run in either case.

    Raises:
        FileFormatError: the file is damaged, unsafe or of another format.
        UnknownNameError: it names a class that is not known.
    """
    path = Path(filepath)
    check_known_file(path)
    if files.format_of(path) is files.Format.HDF5:
        config = files.read_h5_config(path)
        stored = files.stored_weight_bytes(path)
        model = model_from_config(config, custom_objects, where=str(path), stored=stored)
        files.load_weights_h5(model, path)
    else:
        archive = files.read_keras_archive(path)
        config = archive.config
        stored = files.stored_weight_bytes(archive.weights, where=str(path))
        model = model_from_config(config, custom_objects, where=str(path), stored=stored)
        files.load_weights_h5(model, archive.weights, where=str(path))
    settings = config.get("compile_config")
    if compile and isinstance(settings, dict) and settings and hasattr(model, "compile"):
        _compile(model, settings, custom_objects)
    return model


def model_config(model: Any) -> dict[str, Any]:
    """Return a model's configuration with its class, as Keras writes it."""
    config: dict[str, Any] = serialize(model)
    compile_config = compile_settings_config(model)
    if compile_config is not None:
        config["compile_config"] = compile_config
    return config


def model_from_config(
    config: Mapping[str, Any],
    custom_objects: Mapping[str, Any] | None = None,
    *,
    where: str = "model config",
    stored: int | None = None,
) -> Any:
    """Make a model from what `model_config` returned; weights are drawn anew.

    Args:
        config: plain values.
        custom_objects: name to class or function.
        where: how error texts name the file.
        stored: bytes of weights that come with the configuration, which bound those that are made.
    """
    limit, reason = (None, "") if stored is None else files.weight_budget(stored)
    scope = custom_object_scope(custom_objects or {})
    with scope, files.reading_config(where, config, limit, reason):
        model: Any = deserialize(dict(config), custom_objects)
        got, is_module = type(model).__name__, isinstance(model, nn.Module)
        if not is_module:
            raise FileFormatError(f"{where}: expected the configuration of a model, got {got}.")
        shape = (config.get("build_config") or {}).get("input_shape")
        if shape is not None and not model.built:
            model.build(_as_tuples(shape))
        return model


def model_to_json(model: Any, **kwargs: Any) -> str:
    """Return the architecture as a JSON text; arguments go to `json.dumps`."""
    return json.dumps(json.loads(files.encode_config(model_config(model), model.label)), **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Make a model from what `to_json` returned; weights are drawn anew."""
    config = files.decode_config(json_string, "model_from_json")
    return model_from_config(config, custom_objects, where="model_from_json")


def save_weights(model: Any, filepath: Any, *, overwrite: bool = True) -> None:
    """Write the weights in the format that the suffix names."""
    path = Path(filepath)
    _check_overwrite(path, overwrite)
    if files.format_of(path) is files.Format.SAFETENSORS:
        files.save_state(model, path)
    else:
        files.save_weights_h5(model, path)


def load_weights(model: Any, filepath: Any, *, skip_mismatch: bool = False) -> None:
    """Read weights in the format that the suffix names."""
    path = Path(filepath)
    check_known_file(path)
    if files.format_of(path) is files.Format.SAFETENSORS:
        files.load_state(model, path, strict=not skip_mismatch)
    else:
        files.load_weights_h5(model, path, skip_mismatch=skip_mismatch)


def load_torch_weights(
    model: Any, source: Any, mapping: files.NameMap | None = None, strict: bool = True
) -> files.LoadReport:
    """Copy a torch `state_dict` onto a model: `files.load_torch_state`; a file must be known, as a model must."""
    if not isinstance(source, Mapping) and not isinstance(source, nn.Module):
        check_known_file(Path(source))
    return files.load_torch_state(model, source, mapping, strict)


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
            "steps_per_execution": 1,
            "jit_compile": False,
        }
    except (NotImplementedError, TypeError, ValueError):
        return None  # a torch optimizer or a function of the user's own: the model is saved without


def _described(tree: Any, one: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _described(item, one) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_described(item, one) for item in tree]
    return tree if tree is None or isinstance(tree, str) else one(tree)


def _compile(model: Any, settings: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> None:
    names = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
    with custom_object_scope(custom_objects or {}), files.config_faults(f"{model.label}, compile_config"):
        model.compile(**{name: settings.get(name) for name in names})


def _check_overwrite(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise StorageError(f"{path}: exists already. Give overwrite=True or another name.")


def _as_tuples(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _as_tuples(item) for key, item in shape.items()}
    if isinstance(shape, list) and all(size is None or isinstance(size, int) for size in shape):
        return tuple(shape)
    if isinstance(shape, list):
        return [_as_tuples(item) for item in shape]
    return shape
