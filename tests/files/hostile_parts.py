"""What hostile model files are made of: configurations, archives, and the code that must not run."""

from __future__ import annotations

import base64
import io
import json
import marshal
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Config = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A hostile file: opened as `load_model`, `load_weights`, `model_from_json` or `load_torch`."""

    name: str
    data: bytes
    suffix: str
    opened: str
    says: str


def layer(kind: str, config: Config | None = None, module: str = "keras.layers", **more: Any) -> Config:
    return {"module": module, "class_name": kind, "config": config or {}, "registered_name": None, **more}


def dense(units: Any = 2, **more: Any) -> Config:
    return layer("Dense", {"name": "dense", "units": units, **more})


def sequential(*layers: Config, shape: Any = (None, 4)) -> Config:
    start = layer("InputLayer", {"batch_shape": shape, "dtype": "float32", "name": "input_layer"})
    return layer("Sequential", {"name": "sequential", "trainable": True, "layers": [start, *layers]}, "keras")


def weights(edit: Callable[[h5py.File], None] | None = None) -> bytes:
    """Weights of `sequential(dense())`, in Keras 3's layout."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        kept = file.create_group("layers/dense/vars")
        kept["0"], kept["1"] = np.ones((4, 2), "f4"), np.ones(2, "f4")
        if edit is not None:
            edit(file)
    return buffer.getvalue()


def keras_file(config: Any, body: bytes | None = None, *more: tuple[str, bytes], **kwargs: Any) -> bytes:
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    members = [
        ("metadata.json", b"{}"),
        ("config.json", text),
        ("model.weights.h5", body or weights()),
        *more,
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **kwargs) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def h5_file(config: Any, edit: Callable[[h5py.File], None] | None = None) -> bytes:
    """A model in the older layout; `config` without `module` keys would do as well."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "3.15.1", "tensorflow"
        text = config if isinstance(config, bytes) else json.dumps(config).encode()
        pieces = [text[start : start + 60_000] for start in range(0, len(text), 60_000)]
        if len(pieces) == 1:
            file.attrs["model_config"] = np.bytes_(text)
        for number, piece in enumerate(pieces if len(pieces) > 1 else []):
            file.attrs[f"model_config{number}"] = np.bytes_(piece)
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = [b"dense"]
        kept = top.create_group("dense")
        kept.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        kept["dense/kernel:0"], kept["dense/bias:0"] = np.ones((4, 2), "f4"), np.ones(2, "f4")
        if edit is not None:
            edit(file)
    return buffer.getvalue()


def everywhere(name: str, config: Config, says: str) -> Iterator[Case]:
    """The same configuration in every format that holds one."""
    yield Case(name, keras_file(config), ".keras", "load_model", says)
    if not isinstance(config, dict) or len(json.dumps(config)) < 60_000:
        yield Case(name, h5_file(config), ".h5", "load_model", says)
    yield Case(name, json.dumps(config).encode(), ".json", "model_from_json", says)


def code(canary: Path) -> str:
    source = f"lambda x: (open({str(canary)!r}, 'w').close(), x)[1]"
    return base64.b64encode(marshal.dumps(eval(source).__code__)).decode()  # noqa: S307 - our own text
