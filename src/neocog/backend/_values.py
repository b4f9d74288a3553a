"""Values and variables, in Keras 2's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import torch

from neocog import ops
from neocog.core import floatx, torch_dtype
from neocog.exceptions import GraphError, message
from neocog.layers import Variable


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """Return a variable with these first values.

    Args:
        value: array, number, list or tensor.
        dtype: type; None for `floatx()`.
        name: name.
        constraint: accepted for Keras's sake.

    Example:
        >>> variable([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
    """
    return Variable(ops.convert_to_tensor(value, dtype or floatx()), name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> torch.Tensor:
    """Return a tensor; one number fills `shape`.

    Args:
        value: array, number or list.
        dtype: type; None for `floatx()`.
        shape: shape; None for that of `value`.
        name: accepted for Keras's sake.

    Example:
        >>> constant(2, shape=(3,))
        tensor([2., 2., 2.])
    """
    tensor = ops.convert_to_tensor(value, dtype or floatx())
    if shape is None:
        return tensor
    return tensor.expand(tuple(shape)).clone() if tensor.numel() == 1 else tensor.reshape(tuple(shape))


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> torch.Tensor:
    """Return zeros.

    Args:
        shape: shape.
        dtype: type; None for `floatx()`.
        name: accepted for Keras's sake.

    Example:
        >>> zeros((2,))
        tensor([0., 0.])
    """
    return torch.zeros(tuple(shape), dtype=torch_dtype(dtype))


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> torch.Tensor:
    """Return ones.

    Args:
        shape: shape.
        dtype: type; None for `floatx()`.
        name: accepted for Keras's sake.

    Example:
        >>> ones((2,))
        tensor([1., 1.])
    """
    return torch.ones(tuple(shape), dtype=torch_dtype(dtype))


def get_value(x: Any) -> Any:
    """Return the values of a tensor, variable or weight as a NumPy array.

    Args:
        x: tensor, variable, weight or number.

    Example:
        >>> get_value(torch.ones(2))
        array([1., 1.], dtype=float32)
    """
    return ops.convert_to_numpy(x)


def eval(x: Any) -> Any:
    """Return the values of a tensor, variable or weight as a NumPy array.

    Args:
        x: tensor, variable, weight or number.

    Example:
        >>> eval(torch.ones(2))
        array([1., 1.], dtype=float32)
    """
    return get_value(x)


def set_value(x: Any, value: Any) -> None:
    """Overwrite a variable, a weight, or an optimizer's learning rate (`K.set_value(opt.learning_rate, v)`).

    Args:
        x: anything with `assign`, or a tensor.
        value: the new values.
    """
    if hasattr(x, "assign"):
        x.assign(value)
        return
    with torch.no_grad():
        x.copy_(ops.convert_to_tensor(value).to(x))


def batch_get_value(tensors: Iterable[Any]) -> list[Any]:
    """Return `get_value` of each.

    Args:
        tensors: tensors, variables or weights.

    Example:
        >>> batch_get_value([torch.ones(1), torch.zeros(1)])
        [array([1.], dtype=float32), array([0.], dtype=float32)]
    """
    return [get_value(tensor) for tensor in tensors]


def batch_set_value(tuples: Iterable[tuple[Any, Any]]) -> None:
    """Call `set_value` for each pair.

    Args:
        tuples: (variable, values) pairs.
    """
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """Overwrite a variable and return it.

    Args:
        x: the variable.
        new_x: its new values.
    """
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """Add to a variable and return it.

    Args:
        x: the variable.
        increment: what is added.
    """
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from a variable and return it.

    Args:
        x: the variable.
        decrement: what is subtracted.
    """
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """Move a variable towards values and return it: x · momentum + value · (1 - momentum).

    Args:
        x: the variable.
        value: the values.
        momentum: weight of the old ones.
    """
    return x.assign(ops.convert_to_tensor(x) * momentum + ops.convert_to_tensor(value) * (1.0 - momentum))


def cast_to_floatx(x: Any) -> Any:
    """Return a tensor or array in the default float type.

    Args:
        x: tensor, array or list.

    Example:
        >>> cast_to_floatx(np.array([1, 2]))
        array([1., 2.], dtype=float32)
    """
    return ops.cast(x, floatx()) if isinstance(x, torch.Tensor) else np.asarray(x, dtype=floatx())


def int_shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape as a tuple, None for sizes that are not known.

    Args:
        x: tensor, array, variable or symbolic tensor.

    Example:
        >>> int_shape(torch.ones(2, 3))
        (2, 3)
    """
    return ops.shape(x)


def ndim(x: Any) -> int:
    """Return the number of axes.

    Args:
        x: tensor, array, variable or symbolic tensor.

    Example:
        >>> ndim(torch.ones(2, 3))
        2
    """
    return len(ops.shape(x))


def count_params(x: Any) -> int:
    """Return the number of values.

    Args:
        x: tensor, variable or weight.

    Example:
        >>> count_params(torch.ones(2, 3))
        6
    """
    return int(np.prod(ops.shape(x)))


def is_sparse(tensor: Any) -> bool:
    """Return whether a tensor is sparse.

    Args:
        tensor: a tensor.

    Example:
        >>> is_sparse(torch.ones(2))
        False
    """
    return isinstance(tensor, torch.Tensor) and tensor.is_sparse


def to_dense(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor that is not sparse.

    Args:
        tensor: a tensor.

    Example:
        >>> to_dense(torch.ones(2))
        tensor([1., 1.])
    """
    return tensor.to_dense() if is_sparse(tensor) else tensor


def placeholder(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise: models begin with `Input`.

    Args:
        *args: not used.
        **kwargs: not used.

    Raises:
        GraphError: always.
    """
    do = "Write keras.Input(shape=(…)), and keras.Model(inputs, outputs) for a function of it."
    raise GraphError(
        message("backend.placeholder", expected="code without sessions", got="a placeholder", do=do)
    )


def function(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise: `Model(inputs, outputs)` is the function from one to the other.

    Args:
        *args: not used.
        **kwargs: not used.

    Raises:
        GraphError: always.
    """
    do = "Write f = keras.Model(inputs, outputs), then f(x) or f.predict(x)."
    raise GraphError(message("backend.function", expected="code without sessions", got="K.function", do=do))


def gradients(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise: torch computes gradients.

    Args:
        *args: not used.
        **kwargs: not used.

    Raises:
        GraphError: always.
    """
    do = "Write torch.autograd.grad(loss, variables), or loss.backward() and read variable.grad."
    raise GraphError(message("backend.gradients", expected="code without sessions", got="K.gradients", do=do))
