"""Names that stand elsewhere today: module paths of older Keras, and what only TensorFlow has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import reduce
from types import ModuleType
from typing import Any

from neocog._old_spellings import OldPath

# Path of older Keras, below the package, to today's. Keras 1, 2 and 3 code imports from all of these.
OLD_PATHS = {
    "engine": "",
    "engine.base_layer": "layers",
    "engine.input_layer": "layers",
    "engine.network": "models",
    "engine.sequential": "models",
    "engine.topology": "layers",
    "engine.training": "models",
    "experimental": "",
    "layers.advanced_activations": "layers",
    "layers.attention": "layers",
    "layers.convolutional": "layers",
    "layers.core": "layers",
    "layers.embeddings": "layers",
    "layers.experimental": "layers",
    "layers.experimental.preprocessing": "layers",
    "layers.local": "layers",
    "layers.merge": "layers",
    "layers.noise": "layers",
    "layers.normalization": "layers",
    "layers.pooling": "layers",
    "layers.preprocessing": "layers",
    "layers.recurrent": "layers",
    "layers.wrappers": "layers",
    "objectives": "losses",
    "optimizers.experimental": "optimizers",
    "optimizers.legacy": "optimizers",
    "utils.data_utils": "utils",
    "utils.generic_utils": "utils",
    "utils.image_utils": "utils",
    "utils.io_utils": "utils",
    "utils.layer_utils": "utils",
    "utils.np_utils": "utils",
    "utils.vis_utils": "utils",
}

# What TensorFlow has and Keras has not, to what does the same here.
TENSORFLOW = {
    "GradientTape": "call loss.backward() and read parameter.grad, or torch.autograd.grad(loss, parameters)",
    "Module": "torch.nn.Module",
    "RaggedTensor": "a list of tensors, or utils.pad_sequences",
    "SparseTensor": "torch.sparse_coo_tensor",
    "Tensor": "torch.Tensor",
    "TensorSpec": "neocog.Input",
    "cast": "neocog.ops.cast, or tensor.to(dtype)",
    "compat": "nothing: there are no graph sessions to switch off",
    "constant": "torch.tensor, or neocog.ops.convert_to_tensor",
    "convert_to_tensor": "neocog.ops.convert_to_tensor",
    "debugging": "torch's own checks (torch.autograd.set_detect_anomaly)",
    "distribute": "torchrun with the same script",
    "einsum": "neocog.ops.einsum",
    "estimator": "model.fit",
    "expand_dims": "neocog.ops.expand_dims",
    "function": "nothing: code runs as it stands; torch.compile makes it faster where that pays",
    "image": "neocog.ops.image",
    "io": "Python's open, neocog.utils.load_img",
    "linalg": "neocog.ops, torch.linalg",
    "math": "neocog.ops",
    "matmul": "neocog.ops.matmul, or the operator @",
    "nn": "neocog.ops, torch.nn.functional",
    "reduce_mean": "neocog.ops.mean",
    "reduce_sum": "neocog.ops.sum",
    "reshape": "neocog.ops.reshape",
    "saved_model": 'model.save("m.keras") and load_model, or model.export for other programs',
    "shape": "neocog.ops.shape, or tensor.shape",
    "square": "neocog.ops.square",
    "strings": "Python's str methods, or layers.TextVectorization",
    "summary": "callbacks.TensorBoard",
    "train": "callbacks.ModelCheckpoint, model.save_weights",
    "zeros": "neocog.ops.zeros, or torch.zeros",
}


def install_old_paths(root: ModuleType, modules: tuple[str, ...]) -> None:
    """Make the older paths importable: `from neocog.layers.core import Dense` works, with a warning.

    Args:
        root: the package.
        modules: its public modules, which `neocog.keras` has as well.
    """
    paths = {**OLD_PATHS, **{f"keras.{name}": name for name in modules}, "keras": ""}
    paths["keras.wrappers.scikit_learn"] = "wrappers.scikit_learn"
    paths |= {f"keras.{old}": today for old, today in OLD_PATHS.items()}
    for old, today in paths.items():
        name = f"{root.__name__}.{old}"
        if name not in sys.modules:
            today_path = f"{root.__name__}.{today}".rstrip(".")
            sys.modules[name] = OldPath(name, _finder(root, name, today), today_path)


def _finder(root: ModuleType, path: str, today: str) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        deeper = sys.modules.get(f"{path}.{name}")
        if isinstance(deeper, OldPath):
            return deeper
        return getattr(reduce(getattr, filter(None, today.split(".")), root), name)

    return find
