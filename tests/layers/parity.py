"""Compare one layer of ours with the real one of Keras 3 (torch backend): the oracle of the layer tests.

    assert_same_as_keras(Dense(3), keras.layers.Dense(3), np.ones((2, 5), "float32"))

checks weights (names, order, layouts), outputs, gradients, state after the call, output shapes with unknown
sizes, the symbolic call and the configuration, each against Keras.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from neocog import layers

# Keras writes a policy object, we write the type's name, which Keras reads as well.
_CONFIG_DIFFERS = {"dtype", "name"}


def assert_same_as_keras(
    layer: Any,
    keras_layer: Any,
    inputs: Any,
    *,
    training: bool | None = None,
    gradients: bool = True,
    shapes: bool = True,
    config: bool = True,
    random_weights: bool = True,
    rtol: float = 1e-5,
    **call_arguments: Any,
) -> None:
    """Fail where `layer` and `keras_layer` differ on `inputs` (an array, or a list of arrays).

    Args:
        training: passed to both calls when not None.
        gradients: compare gradients to float inputs and to trainable weights.
        shapes: compare the output shapes for known and unknown sizes, and the symbolic call's.
        config: compare configurations, and that each library rebuilds its layer from ours.
        random_weights: overwrite the weights of both layers with the same random values.
        rtol: allowed difference, relative to the largest expected value.
        **call_arguments: passed to both calls.
    """
    if training is not None:
        call_arguments["training"] = training
    rng = np.random.default_rng(7)
    shape = _shapes(inputs)
    for one in (layer, keras_layer):
        if not one.built:
            one.build(shape)
    _assert_same_weights(layer, keras_layer, rng if random_weights else None)
    initial = layer.get_weights()

    ours, theirs = _leaves(inputs, gradients), _leaves(inputs, gradients)
    output = layer(ours, **call_arguments)
    expected = keras_layer(theirs, **call_arguments)
    outputs, expecteds = _flat(output), _flat(expected)
    assert len(outputs) == len(expecteds), f"{len(outputs)} outputs, expected {len(expecteds)}"
    for number, (got, want) in enumerate(zip(outputs, expecteds, strict=True)):
        assert_close(f"output {number}", got, want, rtol)
        assert got.dtype == want.dtype, f"output {number} has type {got.dtype}, expected {want.dtype}"
    for view, want in zip(layer.weights, keras_layer.weights, strict=True):
        assert_close(f"{view.path} after the call", view.tensor(), want.value, rtol)
    if gradients:
        _assert_same_gradients(layer, keras_layer, (ours, outputs), (theirs, expecteds), rng, rtol)
    if shapes:
        _assert_same_shapes(layer, keras_layer, shape, output)
    if config:
        _assert_same_config(layer, keras_layer)
        _assert_rebuilds(layer, initial, inputs, call_arguments)


def assert_close(what: str, got: Any, want: Any, rtol: float = 1e-5) -> None:
    """Fail where two arrays differ by more than `rtol` of the largest expected value, or in shape."""
    got, want = _array(got), _array(want)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    scale = float(np.max(np.abs(want[np.isfinite(want)]), initial=0.0)) if want.dtype.kind == "f" else 1.0
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * max(scale, 1e-3), err_msg=what)


def weight_gradient(view: Any) -> torch.Tensor:
    """The gradient of one weight, in Keras's layout."""
    gradient = view.value.grad
    assert gradient is not None, f"{view.path} has no gradient"
    if view.spec.axes is not None:
        gradient = gradient.permute(view.spec.axes)
    return gradient if view.spec.reshape is None else gradient.reshape(view.spec.reshape)


def _assert_same_weights(layer: Any, keras_layer: Any, rng: np.random.Generator | None) -> None:
    names = [(view.name, view.shape) for view in layer.weights]
    expected = [(weight.name, tuple(weight.shape)) for weight in keras_layer.weights]
    assert names == expected, f"weights {names}, expected {expected}"
    trainable = [view.name for view in layer.trainable_weights]
    assert trainable == [weight.name for weight in keras_layer.trainable_weights]
    if rng is not None:
        values = [_draw(rng, weight.name, weight.shape, weight.dtype) for weight in keras_layer.weights]
        keras_layer.set_weights(values)
    expected_values = [_array(weight.value) for weight in keras_layer.weights]
    layer.set_weights(expected_values)
    for got, want in zip(layer.get_weights(), expected_values, strict=True):
        np.testing.assert_array_equal(got, want)


def _draw(rng: np.random.Generator, name: str, shape: Any, dtype: str) -> Any:
    values = rng.normal(size=shape)
    if "variance" in name:
        values = np.abs(values) + 0.5
    return values.astype(dtype) if dtype.startswith("float") else np.ones(shape, dtype)


def _assert_same_gradients(
    layer: Any, keras_layer: Any, ours: Any, theirs: Any, rng: np.random.Generator, rtol: float
) -> None:
    pulls = [torch.from_numpy(rng.normal(size=tuple(out.shape)).astype("float32")) for out in theirs[1]]
    for _, outputs in (ours, theirs):
        total = sum((out * pull.to(out.dtype)).sum() for out, pull in zip(outputs, pulls, strict=True))
        if total.requires_grad:
            total.backward()
    for number, (got, want) in enumerate(zip(_flat(ours[0]), _flat(theirs[0]), strict=True)):
        if want.grad is not None:
            assert got.grad is not None, f"no gradient to input {number}"
            assert_close(f"gradient to input {number}", got.grad, want.grad, rtol)
    for view, weight in zip(layer.trainable_weights, keras_layer.trainable_weights, strict=True):
        assert_close(f"gradient to {view.path}", weight_gradient(view), weight.value.grad, rtol)


def _assert_same_shapes(layer: Any, keras_layer: Any, shape: Any, output: Any) -> None:
    real = _map_shapes(lambda tensor: tuple(tensor.shape), output)
    assert layer.compute_output_shape(shape) == real, f"{layer.compute_output_shape(shape)}, real {real}"
    forgets = [lambda s: (None, *s[1:]), lambda s: (*(None for _ in s[:-1]), s[-1])]
    forgets.append(lambda s: (None, s[1], *(None for _ in s[2:])))
    for forget in forgets:
        partial = [forget(s) for s in shape] if isinstance(shape, list) else forget(shape)
        try:
            expected = _tuples(keras_layer.compute_output_shape(partial))
        except Exception:
            continue  # Keras needs this size
        got = _tuples(layer.compute_output_shape(partial))
        assert got == expected, f"output shape for {partial}: {got}, expected {expected}"
    partial = [forgets[0](s) for s in shape] if isinstance(shape, list) else forgets[0](shape)
    expected = layer.compute_output_shape(partial)
    symbolic = [layers.Input(batch_shape=s) for s in partial] if isinstance(shape, list) else None
    result = layer(symbolic if symbolic is not None else layers.Input(batch_shape=partial))
    got = _map_shapes(lambda tensor: tuple(tensor.shape), result)
    assert got == expected, f"symbolic call gave {got}, expected {expected}"


def _assert_same_config(layer: Any, keras_layer: Any) -> None:
    ours, theirs = _plain(layer.get_config()), _plain(keras_layer.get_config())
    for key in theirs.keys() - _CONFIG_DIFFERS:
        assert ours.get(key) == theirs[key], f"config[{key!r}] is {ours.get(key)}, expected {theirs[key]}"
    rebuilt = type(keras_layer).from_config(ours)  # Keras reads what we write
    again = _plain(rebuilt.get_config())
    assert {**again, "dtype": None} == {**theirs, "dtype": None, "name": again["name"]}
    assert _plain(type(layer).from_config(ours).get_config()) == ours
    assert (
        _plain(type(layer).from_config(theirs).get_config()).keys() == ours.keys()
    )  # we read what Keras writes


def _assert_rebuilds(layer: Any, weights: Any, inputs: Any, call_arguments: Any) -> None:
    if call_arguments.get("training"):
        return
    restored = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert type(restored) is type(layer)
    restored.build(_shapes(inputs))
    restored.set_weights(weights)
    layer.set_weights(weights)
    got, want = restored(inputs, **call_arguments), layer(inputs, **call_arguments)
    for a, b in zip(_flat(got), _flat(want), strict=True):
        np.testing.assert_array_equal(_array(a), _array(b))


def _leaves(inputs: Any, gradients: bool) -> Any:
    if isinstance(inputs, (list, tuple)):
        return [_leaves(one, gradients) for one in inputs]
    tensor = torch.from_numpy(np.array(inputs))
    return tensor.requires_grad_(gradients and tensor.is_floating_point())


def _shapes(inputs: Any) -> Any:
    if isinstance(inputs, (list, tuple)):
        return [tuple(np.shape(one)) for one in inputs]
    return tuple(np.shape(inputs))


def _map_shapes(function: Any, output: Any) -> Any:
    return [function(one) for one in output] if isinstance(output, (list, tuple)) else function(output)


def _tuples(shape: Any) -> Any:
    if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple)):
        return [tuple(one) for one in shape]
    return tuple(shape)


def _flat(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _plain(config: Any) -> Any:
    """The configuration as JSON keeps it, floats rounded: Keras's regularizers hold float32 numbers."""
    return json.loads(json.dumps(config), parse_float=lambda text: float(f"{float(text):.6g}"))
