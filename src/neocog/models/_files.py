"""Models to and from files: thin callers of the floor `files`, which knows the formats and their dangers."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from neocog import files
from neocog.core import custom_object_scope, sharing_objects, write_bytes
from neocog.data import check_known_file
from neocog.exceptions import ArgumentError, FileFormatError, StorageError
from neocog.layers import deserialize, serialize
from neocog.models._compile_config import filed_optimizer
from neocog.models._old_configs import as_legacy, compile_config, modernized, training_config


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Write architecture, weights, the settings of `compile` and the optimizer's state, whole or not at all.

    Args:
        model: a built model.
        filepath: ends in `.keras`, or in `.h5` or `.hdf5` for Keras's older layout.
        overwrite: replace a file of that name.
        zipped: accepted for Keras's sake; a folder cannot be written.
        **kwargs: `include_optimizer=False` leaves `compile` out of an `.h5` file; `save_format` is ignored.

    Raises:
        ArgumentError: the suffix stands for weights alone, or an argument is unknown.
        StorageError: the file exists, or cannot be written; what was there stays.
    """
    with_optimizer = kwargs.pop("include_optimizer", True)
    kwargs.pop("save_format", None)
    if kwargs or zipped is False:
        got = f"{next(iter(kwargs))!r}" if kwargs else "zipped=False"
        raise ArgumentError(
            f"save: expected filepath and overwrite, got {got}. A model is saved as one file."
        )
    path = Path(filepath)
    kind = files.format_of(path)
    if kind is files.Format.SAFETENSORS:
        raise ArgumentError(
            f"{path.name}: expected a name that ends in .keras (or .h5), got {path.suffix!r}, which "
            "holds weights alone. Use save_weights for it."
        )
    _check_overwrite(path, overwrite)
    config = model_config(model)
    optimizer = filed_optimizer(model) if "compile_config" in config else None
    if kind is files.Format.KERAS:
        weights = files.weights_h5_bytes(model, optimizer)
        files.write_keras_archive(path, config, weights, assets=files.collect_assets(model))
        return
    training = training_config(config["compile_config"]) if "compile_config" in config else None
    if not with_optimizer:
        training = optimizer = None
    legacy = as_legacy(config)
    legacy = {
        "class_name": config["registered_name"] or config["class_name"],
        "config": legacy["config"],
        "build_config": config.get("build_config"),  # Keras has none: its subclassed models stay unbuilt
    }
    write_bytes(path, files.legacy_h5_bytes(model, legacy, training, optimizer))


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool | None = True,
) -> Any:
    """Read a model from a `.keras` or `.h5` file, neocog's own or Keras's; compiled models train on.

    Classes come from neocog's registries, `custom_objects` and what is registered; no code in files is run.

    Args:
        filepath: a `.keras` file, or an `.h5` or `.hdf5` file, those of Keras 2 included.
        custom_objects: name to class or function, for what the file names beyond neocog's own.
        compile: apply the settings of `compile` that the file holds.
        safe_mode: accepted for Keras's sake: no code in a file is run in either case.

    Raises:
        FileFormatError: the file is damaged, unsafe or of another format.
        UnknownNameError: it names a class that is not known.
    """
    path = Path(filepath)
    check_known_file(path)
    with custom_object_scope(custom_objects or {}):
        if files.format_of(path) is files.Format.HDF5:
            return _load_legacy(path, compile)
        archive = files.read_keras_archive(path)
        config = modernized(archive.config)
        stored = files.stored_weight_bytes(archive.weights, where=str(path))
        model = model_from_config(config, where=str(path), stored=stored)
        optimizer = _compile(path, model, config.get("compile_config")) if compile else None
        files.load_weights_h5(model, archive.weights, where=str(path), optimizer=optimizer)
        files.give_assets(model, archive.assets, where=str(path))
    return model


def _load_legacy(path: Path, compile: bool) -> Any:
    found = files.read_legacy_h5(path)
    if found.config is None:
        raise FileFormatError(
            f"{path}: expected a model, got weights alone. Build the model in code and call load_weights."
        )
    stored = files.stored_weight_bytes(path)
    model = model_from_config(modernized(found.config), where=str(path), stored=stored)
    files.load_legacy_weights(model, path)
    if compile and found.training_config is not None:
        optimizer = _compile(path, model, compile_config(found.training_config))
        if optimizer is not None:
            files.load_legacy_optimizer(optimizer, path)
    return model


def _compile(path: Path, model: Any, settings: Any) -> Any:
    """Compile a model as a file says, and return its optimizer where it has variables."""
    if not isinstance(settings, Mapping) or not settings or not hasattr(model, "compile_from_config"):
        return None
    files.check_config(str(path), settings)
    with files.config_faults(str(path)), _old_spellings_allowed():
        model.compile_from_config(settings)
    optimizer = getattr(model, "optimizer", None)
    return optimizer if getattr(optimizer, "built", False) and hasattr(optimizer, "variables") else None


@contextmanager
def _old_spellings_allowed() -> Iterator[None]:
    """A file's older spellings are nobody's to correct."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def model_config(model: Any) -> dict[str, Any]:
    """Return a model's configuration with its class, as Keras writes it."""
    with sharing_objects():
        config: dict[str, Any] = serialize(model)
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
    with (
        scope,
        sharing_objects(),
        _old_spellings_allowed(),
        files.reading_config(where, config, limit, reason),
    ):
        model: Any = deserialize(dict(config), custom_objects)
        got, is_module = type(model).__name__, isinstance(model, nn.Module)
        if not is_module:
            raise FileFormatError(f"{where}: expected the configuration of a model, got {got}.")
        build_config = config.get("build_config")
        if build_config and not model.built:
            model.build_from_config(build_config)
        return model


def model_to_json(model: Any, **kwargs: Any) -> str:
    """Return the architecture as a JSON text; arguments go to `json.dumps`."""
    return json.dumps(json.loads(files.encode_config(model_config(model), model.label)), **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Make a model from what `to_json` returned; weights are drawn anew."""
    config = files.decode_config(json_string, "model_from_json")
    return model_from_config(config, custom_objects, where="model_from_json")


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Write the weights in the format that the name stands for.

    Args:
        model: a built model.
        filepath: ends in `.weights.h5` (Keras 3, with the state of an optimizer that was used), in `.h5` or
            `.hdf5` (Keras's older layout), or in `.safetensors` (torch's names and layouts).
        overwrite: replace a file of that name.
        **kwargs: `save_format` is ignored.
    """
    kwargs.pop("save_format", None)
    if kwargs:
        raise ArgumentError(f"save_weights: expected filepath and overwrite, got {next(iter(kwargs))!r}.")
    path = Path(filepath)
    _check_overwrite(path, overwrite)
    if files.format_of(path) is files.Format.SAFETENSORS:
        files.save_state(model, path)
    elif path.stem.endswith(".weights"):
        files.save_weights_h5(model, path, _used_optimizer(model))
    else:
        write_bytes(path, files.legacy_h5_bytes(model))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read weights from a `.weights.h5`, `.h5`, `.hdf5`, `.keras` or `.safetensors` file.

    Args:
        model: a built model.
        filepath: the file.
        skip_mismatch: leave layers as they are, with a warning, where the file does not fit.
        **kwargs: `by_name=True` gives the layers of an older `.h5` the weights filed under their names.

    Raises:
        ShapeError: the file belongs to another model.
        FileFormatError: it is damaged or unsafe.
    """
    by_name = bool(kwargs.pop("by_name", False))
    if kwargs:
        raise ArgumentError(f"load_weights: expected skip_mismatch or by_name, got {next(iter(kwargs))!r}.")
    path = Path(filepath)
    check_known_file(path)
    kind = files.format_of(path)
    legacy = kind is files.Format.HDF5 and files.is_legacy_h5(path)
    if by_name and not legacy:
        raise ArgumentError(f"{path.name}: by_name is for Keras's older .h5 files; this is another format.")
    if kind is files.Format.SAFETENSORS:
        files.load_state(model, path, strict=not skip_mismatch)
    elif kind is files.Format.KERAS:
        archive = files.read_keras_archive(path)
        files.load_weights_h5(model, archive.weights, where=str(path), skip_mismatch=skip_mismatch)
        files.give_assets(model, archive.assets, where=str(path))
    elif legacy:
        files.load_legacy_weights(model, path, by_name=by_name, skip_mismatch=skip_mismatch)
    else:
        optimizer = _used_optimizer(model)
        files.load_weights_h5(model, path, skip_mismatch=skip_mismatch, optimizer=optimizer)


def _used_optimizer(model: Any) -> Any:
    optimizer = getattr(model, "optimizer", None)
    return optimizer if hasattr(optimizer, "variables") and getattr(optimizer, "built", False) else None


def load_torch_weights(
    model: Any, source: Any, mapping: files.NameMap | None = None, strict: bool = True
) -> files.LoadReport:
    """Copy a torch `state_dict`, or a file that holds one, onto a model: `files.load_torch_state`."""
    if not isinstance(source, Mapping) and not isinstance(source, nn.Module):
        check_known_file(Path(source))
    return files.load_torch_state(model, source, mapping, strict)


def _check_overwrite(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise StorageError(f"{path}: exists already. Give overwrite=True or another name.")
