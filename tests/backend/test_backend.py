"""`backend`: every public name has a row; values against NumPy, or against Keras where it has the name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch

import neocog
from neocog import backend as K
from neocog.graph import SymbolicTensor

A = np.random.default_rng(0).uniform(-2, 2, (2, 3, 4)).astype("float32")
P = np.random.default_rng(1).uniform(0.1, 0.9, (3, 4)).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[[1, 0, 3]]
SCALED = P / P.sum(-1, keepdims=True)
BATCH = np.random.default_rng(2).uniform(-1, 1, (2, 4, 5)).astype("float32")
V = K.variable([1.0, 2.0], name="v")


def closes(result: Any, expected: Any) -> bool:
    return bool(np.allclose(np.asarray(K.get_value(result)), expected, atol=1e-5))


CHECKS: dict[str, Callable[[], bool]] = {
    "KerasTensor": lambda: K.KerasTensor is SymbolicTensor,
    "abs": lambda: closes(K.abs(A), np.abs(A)),
    "all": lambda: not bool(K.all(A > 0)),
    "any": lambda: bool(K.any(A > 0)),
    "arange": lambda: closes(K.arange(3), [0, 1, 2]),
    "argmax": lambda: closes(K.argmax(A), A.argmax(-1)),
    "argmin": lambda: closes(K.argmin(A, axis=1), A.argmin(1)),
    "backend": lambda: K.backend() == "torch",
    "batch_dot": lambda: (
        closes(K.batch_dot(A, BATCH), A @ BATCH)
        and closes(K.batch_dot(A[:, 0], A[:, 1], 1), (A[:, 0] * A[:, 1]).sum(1, keepdims=True))
        and closes(K.batch_dot(A, A, (2, 2)), A @ A.transpose(0, 2, 1))
        and K.batch_dot(A, BATCH, (2, 1)).shape == (2, 3, 5)
    ),
    "batch_flatten": lambda: closes(K.batch_flatten(A), A.reshape(2, 12)),
    "batch_get_value": lambda: closes(K.batch_get_value([V])[0], [1, 2]),
    "batch_set_value": lambda: K.batch_set_value([(K.variable(0.0), 2.0)]) is None,
    "bias_add": lambda: (
        closes(K.bias_add(A, np.ones(4, "float32")), A + 1)
        and closes(K.bias_add(A, np.arange(3.0), "channels_first"), A + np.arange(3.0)[:, None])
    ),
    "binary_crossentropy": lambda: closes(
        K.binary_crossentropy(ONE_HOT, P), -(ONE_HOT * np.log(P) + (1 - ONE_HOT) * np.log(1 - P))
    ),
    "cast": lambda: K.cast(A, "int32").dtype == torch.int32,
    "cast_to_floatx": lambda: K.cast_to_floatx([1]).dtype == np.float32,
    "categorical_crossentropy": lambda: closes(
        K.categorical_crossentropy(ONE_HOT, P), -np.log((ONE_HOT * SCALED).sum(-1))
    ),
    "clear_session": lambda: K.clear_session() is None and neocog.layers.Dense(1).name == "dense",
    "clip": lambda: (
        closes(K.clip(A, -1, 1), A.clip(-1, 1)) and closes(K.clip(A, None, 1.0), np.minimum(A, 1))
    ),
    "concatenate": lambda: closes(K.concatenate([A, A]), np.concatenate([A, A], -1)),
    "constant": lambda: closes(K.constant(3, shape=(2, 2)), np.full((2, 2), 3)),
    "conv2d": lambda: K.conv2d(np.ones((1, 5, 5, 1)), np.ones((3, 3, 1, 2)), padding="same").shape[-1] == 2,
    "cos": lambda: closes(K.cos(A), np.cos(A)),
    "count_params": lambda: K.count_params(V) == 2,
    "cumprod": lambda: closes(K.cumprod(A, axis=1), A.cumprod(1)),
    "cumsum": lambda: closes(K.cumsum(A), A.cumsum(0)),
    "dot": lambda: closes(K.dot(A, A[0].T), A @ A[0].T),
    "dropout": lambda: K.dropout(torch.ones(9), 0.5, seed=1).shape == (9,),
    "dtype": lambda: K.dtype(V) == "float32",
    "elu": lambda: closes(K.elu(A), np.where(A > 0, A, np.expm1(A))),
    "epsilon": lambda: K.epsilon() == 1e-7,
    "equal": lambda: closes(K.equal(A, A), np.ones_like(A)),
    "eval": lambda: closes(K.eval(V), [1, 2]),
    "exp": lambda: closes(K.exp(A), np.exp(A)),
    "expand_dims": lambda: K.expand_dims(A).shape == (2, 3, 4, 1),
    "eye": lambda: closes(K.eye(2), np.eye(2)),
    "flatten": lambda: closes(K.flatten(A), A.ravel()),
    "floatx": lambda: K.floatx() == "float32",
    "foldl": lambda: int(K.foldl(lambda a, b: a - b, torch.tensor([9, 1, 2]))) == 6,
    "foldr": lambda: int(K.foldr(lambda a, b: a - b, torch.tensor([1, 2, 9]))) == 6,
    "gather": lambda: closes(K.gather(A, [1, 0]), A[[1, 0]]),
    "get_uid": lambda: K.get_uid("q") == 1 and K.get_uid("q") == 2,
    "get_value": lambda: closes(K.get_value(V), [1, 2]),
    "greater": lambda: closes(K.greater(A, 0), A > 0),
    "greater_equal": lambda: closes(K.greater_equal(A, 0), A >= 0),
    "hard_sigmoid": lambda: closes(K.hard_sigmoid(A), (0.2 * A + 0.5).clip(0, 1)),
    "image_data_format": lambda: K.image_data_format() == "channels_last",
    "in_test_phase": lambda: K.in_test_phase(1, 2, training=True) == 2,
    "in_train_phase": lambda: K.in_train_phase(lambda: 1, 2, training=True) == 1,
    "int_shape": lambda: K.int_shape(neocog.Input((3,))) == (None, 3),
    "is_float_dtype": lambda: K.is_float_dtype("float16") and not K.is_float_dtype("uint8"),
    "is_int_dtype": lambda: K.is_int_dtype("uint8") and not K.is_int_dtype("float16"),
    "is_keras_tensor": lambda: K.is_keras_tensor(neocog.Input((3,))) and not K.is_keras_tensor(A),
    "is_sparse": lambda: K.is_sparse(torch.eye(2).to_sparse()),
    "l2_normalize": lambda: closes(K.l2_normalize(A, -1), A / np.linalg.norm(A, axis=-1, keepdims=True)),
    "learning_phase": lambda: K.learning_phase() == 0,
    "less": lambda: closes(K.less(A, 0), A < 0),
    "less_equal": lambda: closes(K.less_equal(A, 0), A <= 0),
    "log": lambda: closes(K.log(P), np.log(P)),
    "map_fn": lambda: closes(K.map_fn(lambda x: x * 2, torch.tensor(A)), A * 2),
    "max": lambda: closes(K.max(A, axis=-1), A.max(-1)),
    "maximum": lambda: closes(K.maximum(A, 0.5), np.maximum(A, 0.5)),
    "mean": lambda: closes(K.mean(A, axis=[0, 1]), A.mean((0, 1))) and K.mean(A, 1, keepdims=True).dim() == 3,
    "min": lambda: closes(K.min(A), A.min()),
    "minimum": lambda: closes(K.minimum(A, 0.5), np.minimum(A, 0.5)),
    "moving_average_update": lambda: closes(K.moving_average_update(K.variable(1.0), 2.0, 0.75), 1.25),
    "name_scope": lambda: K.name_scope("x").__enter__() == "x",
    "ndim": lambda: K.ndim(A) == 3,
    "not_equal": lambda: not K.any(K.not_equal(A, A)),
    "one_hot": lambda: closes(K.one_hot([1, 0], 2), [[0, 1], [1, 0]]),
    "ones": lambda: closes(K.ones((2,)), [1, 1]),
    "ones_like": lambda: closes(K.ones_like(A), np.ones_like(A)),
    "permute_dimensions": lambda: closes(K.permute_dimensions(A, (0, 2, 1)), A.transpose(0, 2, 1)),
    "pool2d": lambda: closes(K.pool2d(np.ones((1, 4, 4, 1), "f"), (2, 2), pool_mode="avg"), 1),
    "pow": lambda: closes(K.pow(A, 2), A**2),
    "prod": lambda: closes(K.prod(A, axis=1), A.prod(1)),
    "random_bernoulli": lambda: closes(K.mean(K.random_bernoulli((9,), 1.0)), 1),
    "random_normal": lambda: K.random_normal((2, 3)).shape == (2, 3),
    "random_uniform": lambda: K.random_uniform((2, 3)).shape == (2, 3),
    "relu": lambda: closes(K.relu(A, alpha=0.1, max_value=1.0), np.where(A > 0, A.clip(max=1), 0.1 * A)),
    "repeat": lambda: closes(K.repeat(P, 2), P[:, None].repeat(2, 1)),
    "repeat_elements": lambda: closes(K.repeat_elements(A, 2, 1), A.repeat(2, 1)),
    "reshape": lambda: K.reshape(A, (4, -1)).shape == (4, 6),
    "resize_images": lambda: K.resize_images(A[None], 2, 3, "channels_last").shape == (1, 4, 9, 4),
    "result_type": lambda: K.result_type("int32", float) == keras.backend.result_type("int32", float),
    "reverse": lambda: closes(K.reverse(A, 1), A[:, ::-1]),
    "round": lambda: closes(K.round(A), A.round()),
    "set_epsilon": lambda: K.set_epsilon(1e-7) is None,
    "set_floatx": lambda: K.set_floatx("float32") is None,
    "set_image_data_format": lambda: K.set_image_data_format("channels_last") is None,
    "set_learning_phase": lambda: K.set_learning_phase(0) is None,
    "set_value": lambda: K.set_value(K.variable([1.0]), [2.0]) is None,
    "shape": lambda: K.shape(A) == (2, 3, 4),
    "sigmoid": lambda: closes(K.sigmoid(A), 1 / (1 + np.exp(-A))),
    "sign": lambda: closes(K.sign(A), np.sign(A)),
    "sin": lambda: closes(K.sin(A), np.sin(A)),
    "softmax": lambda: closes(K.sum(K.softmax(A), -1), 1),
    "softplus": lambda: closes(K.softplus(A), np.log1p(np.exp(A))),
    "softsign": lambda: closes(K.softsign(A), A / (1 + np.abs(A))),
    "sparse_categorical_crossentropy": lambda: closes(
        K.sparse_categorical_crossentropy([1, 0, 3], P), -np.log(SCALED[[0, 1, 2], [1, 0, 3]])
    ),
    "spatial_2d_padding": lambda: K.spatial_2d_padding(A[None], ((1, 0), (2, 1))).shape == (1, 3, 6, 4),
    "sqrt": lambda: closes(K.sqrt(P), np.sqrt(P)),
    "square": lambda: closes(K.square(A), A**2),
    "squeeze": lambda: K.squeeze(A[:1], 0).shape == (3, 4),
    "stack": lambda: K.stack([P, P]).shape == (2, 3, 4),
    "standardize_dtype": lambda: K.standardize_dtype(int) == "int32",
    "std": lambda: closes(K.std(A, axis=0), A.std(0)),
    "stop_gradient": lambda: not K.stop_gradient(V).requires_grad,
    "sum": lambda: closes(K.sum(A, axis=(0, 2)), A.sum((0, 2))),
    "switch": lambda: (
        K.switch(True, 1, 2) == 1 and closes(K.switch(torch.tensor([True, False]), A, -A)[1], -A[1])
    ),
    "tanh": lambda: closes(K.tanh(A), np.tanh(A)),
    "temporal_padding": lambda: K.temporal_padding(A, (2, 1)).shape == (2, 6, 4),
    "tile": lambda: closes(K.tile(P, (2, 1)), np.tile(P, (2, 1))),
    "to_dense": lambda: closes(K.to_dense(torch.eye(2).to_sparse()), np.eye(2)),
    "transpose": lambda: closes(K.transpose(P), P.T),
    "truncated_normal": lambda: K.truncated_normal((4,)).shape == (4,),
    "update": lambda: closes(K.update(K.variable(1.0), 3.0), 3),
    "update_add": lambda: closes(K.update_add(K.variable(1.0), 3.0), 4),
    "update_sub": lambda: closes(K.update_sub(K.variable(1.0), 3.0), -2),
    "var": lambda: closes(K.var(A, axis=0), A.var(0)),
    "variable": lambda: V.name == "v" and isinstance(V, neocog.Variable),
    "version": lambda: K.version() == neocog.__version__,
    "zeros": lambda: closes(K.zeros((2,)), [0, 0]),
    "zeros_like": lambda: closes(K.zeros_like(A), np.zeros_like(A)),
}
REFUSED = {
    "StatelessScope": "functional_call",
    "function": "keras.Model",
    "gradients": "autograd",
    "placeholder": "keras.Input",
}


def test_each_name_has_a_row() -> None:
    assert set(K.__all__) == {*CHECKS, *REFUSED}
    assert {name for name in dir(keras.backend) if not name.startswith("_")} <= set(K.__all__)


@pytest.mark.parametrize("name", CHECKS)
def test_values(name: str) -> None:
    assert CHECKS[name]()


def test_the_check_fails_on_wrong_values() -> None:
    assert not closes(K.abs(A), A)


@pytest.mark.parametrize("name", REFUSED)
def test_what_torch_has_no_use_for_says_what_to_write(name: str) -> None:
    with pytest.raises(ValueError, match=REFUSED[name]):
        getattr(K, name)()


def test_learning_rate_by_set_value() -> None:
    model = neocog.Sequential([neocog.Input((2,)), neocog.layers.Dense(1)])
    model.compile("sgd", "mse")
    K.set_value(model.optimizer.learning_rate, 0.25)
    assert float(K.get_value(model.optimizer.learning_rate)) == 0.25


def test_top_names() -> None:
    assert neocog.version() == neocog.__version__
    assert neocog.utils.clear_session is K.clear_session
    assert neocog.utils.standardize_dtype is K.standardize_dtype
    with neocog.device("cpu"), neocog.name_scope("x"):
        assert torch.ones(1).device.type == "cpu"
