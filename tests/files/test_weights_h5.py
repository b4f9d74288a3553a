"""Weights in HDF5: Keras 3's paths, round trips, and nothing assigned unless everything fits."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from saving_files import Branches, Scale, branches, randomize, same_values, tree, values
from torch import nn

from neocog.exceptions import FileFormatError, NotBuiltError, ShapeError
from neocog.files import load_weights_h5, save_weights_h5, weight_groups, weights_h5_bytes

# Keras's torch backend meets NumPy 2 here; nothing of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


class KerasScale(keras.layers.Layer):
    """The same as `Scale`, for the oracle."""

    def build(self, input_shape: Any) -> None:
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="uniform", name="factor")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor + self.count


KerasScale.__name__ = "Scale"


class KerasBranches(keras.Model):
    """The same as `Branches`, for the oracle; a model, because in Keras only models read and write files."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = _KerasBranchesLayer()

    def call(self, inputs: Any) -> Any:
        return self.branches(inputs)


class _KerasBranchesLayer(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.stem = KerasScale(name="the_stem")
        self.blocks = [KerasScale(), KerasScale()]
        self.heads = {"a": KerasScale()}
        self._last = KerasScale()
        self.shared = self.stem

    def call(self, inputs: Any) -> Any:
        for layer in [self.stem, *self.blocks, self.heads["a"], self._last]:
            inputs = layer(inputs)
        return inputs


class Holder(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.branches = inner


def keras_branches() -> KerasBranches:
    model = KerasBranches()
    model(np.ones((2, 3), "float32"))
    return model


def test_real_keras_reads_what_is_written(tmp_path: Path) -> None:
    ours = Holder(randomize(branches()))
    save_weights_h5(ours, tmp_path / "ours.weights.h5")
    model = keras_branches()
    model.load_weights(str(tmp_path / "ours.weights.h5"))
    inputs = np.random.rand(4, 3).astype("float32")
    with torch.no_grad():
        theirs = keras.ops.convert_to_numpy(model(inputs))
        np.testing.assert_allclose(ours.branches(inputs).numpy(), theirs, rtol=1e-6)
        randomize(ours)
        assert not np.allclose(ours.branches(inputs).numpy(), theirs)  # the comparison can fail


def test_what_real_keras_wrote_is_read(tmp_path: Path) -> None:
    model = keras_branches()
    model.set_weights([np.asarray(np.random.rand(*weight.shape)) for weight in model.weights])
    model.save_weights(str(tmp_path / "theirs.weights.h5"))
    ours = Holder(branches())
    load_weights_h5(ours, tmp_path / "theirs.weights.h5")
    inputs = np.random.rand(4, 3).astype("float32")
    with torch.no_grad():
        theirs = keras.ops.convert_to_numpy(model(inputs))
        np.testing.assert_allclose(ours.branches(inputs).numpy(), theirs, rtol=1e-6)


def test_the_tree_is_that_of_keras(tmp_path: Path) -> None:
    save_weights_h5(Holder(branches()), tmp_path / "ours.weights.h5")
    keras_branches().save_weights(str(tmp_path / "theirs.weights.h5"))
    # Keras names the model itself in an empty group; our holder is a plain torch module without a name.
    assert tree(tmp_path / "ours.weights.h5") == [
        n for n in tree(tmp_path / "theirs.weights.h5") if n != "vars"
    ]
    with h5py.File(tmp_path / "ours.weights.h5") as file:
        assert file["branches/shared/vars"].attrs["name"] == "the_stem"
        assert "neocog_version" in file.attrs


def test_groups_come_in_keras_order() -> None:
    paths = [group.path for group in weight_groups(branches())]
    assert paths == ["", "blocks/scale", "blocks/scale_1", "heads/scale", "shared", "_last"]
    names = [weight.name for weight in weight_groups(branches())[1].weights]
    assert names == ["factor", "count"]  # trainable first


def test_a_list_that_holds_itself_ends() -> None:
    module = nn.Module()
    module.layers = [nn.Linear(1, 1)]
    module.layers.append(module.layers)
    assert [group.path for group in weight_groups(module)] == ["layers/linear"]


def test_containers_in_containers_are_numbered() -> None:
    module = Holder(nn.ModuleList([nn.Linear(1, 1), nn.ModuleList([nn.Linear(1, 1)]), nn.ModuleDict()]))
    paths = [group.path for group in weight_groups(module)]
    assert paths == ["branches/linear", "branches/container/linear"]


@given(
    st.lists(st.integers(0, 4), max_size=4), st.sampled_from(["float32", "float64", "float16", "bfloat16"])
)
def test_every_shape_and_type_comes_back(shape: list[int], dtype: str) -> None:
    module, other = nn.Module(), nn.Module()
    data = torch.rand(shape).to(getattr(torch, dtype))
    module.register_parameter("w", nn.Parameter(data))
    other.register_parameter("w", nn.Parameter(torch.zeros_like(data)))
    load_weights_h5(other, weights_h5_bytes(module))
    assert torch.equal(other.w, data)
    assert other.w.dtype == data.dtype


def test_bfloat16_is_what_keras_writes(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="bfloat16")])
    model.save_weights(str(path))
    ours = nn.Module()
    ours.layers = nn.ModuleList([dense := nn.Module()])
    dense.register_parameter("kernel", nn.Parameter(torch.zeros(3, 2, dtype=torch.bfloat16)))
    dense.register_parameter("bias", nn.Parameter(torch.ones(2, dtype=torch.bfloat16)))
    with h5py.File(path, "a") as file:
        file.move("layers/dense", "layers/module")
    load_weights_h5(ours, path)
    assert torch.equal(dense.kernel, model.layers[0].kernel.value)
    save_weights_h5(ours, path)
    with h5py.File(path, "a") as file:
        file.move("layers/module", "layers/dense")
    before = model.layers[0].kernel.numpy().astype("float32")
    model.layers[0].kernel.assign(np.zeros((3, 2)))
    model.load_weights(str(path))
    np.testing.assert_array_equal(model.layers[0].kernel.numpy().astype("float32"), before)


def test_old_names_of_the_layers_group_are_read() -> None:
    module = nn.Module()
    module.layers = nn.ModuleList([nn.Linear(2, 2)])
    data = edited(
        weights_h5_bytes(module), lambda file: file.move("layers", "_layer_checkpoint_dependencies")
    )
    other = nn.Module()
    other.layers = nn.ModuleList([nn.Linear(2, 2)])
    load_weights_h5(other, data)
    assert same_values(values(module), values(other))


def edited(data: bytes, edit: Any) -> bytes:
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "a") as file:
        edit(file)
    return buffer.getvalue()


def test_nothing_changes_if_one_shape_differs() -> None:
    data = weights_h5_bytes(randomize(branches()))

    def reshape(file: Any) -> None:
        del file["_last/vars/0"]
        file["_last/vars/0"] = np.zeros((4,), "float32")

    layer = branches()
    before = values(layer)
    with pytest.raises(ShapeError, match=r'"_last" .*"factor": expected shape \(3,\), got shape \(4,\)'):
        load_weights_h5(layer, edited(data, reshape))
    assert same_values(before, values(layer))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("heads", r"expected 2 arrays \(factor \(3,\), count \(\)\), got nothing"),
        ("blocks/scale_1/vars/1", "expected 2 arrays .*, got 1 arrays"),
    ],
)
def test_missing_weights_are_named(path: str, text: str) -> None:
    data = edited(weights_h5_bytes(branches()), lambda file: file.__delitem__(path))
    with pytest.raises(ShapeError, match=text):
        load_weights_h5(branches(), data)


def test_weights_without_a_layer_are_named_and_optimizers_are_not() -> None:
    def add(file: Any) -> None:
        file["optimizer/vars/0"] = np.zeros(3)
        file["blocks/optimizer/vars/0"] = np.zeros(3)
        file.create_group("empty/vars")

    data = edited(weights_h5_bytes(branches()), add)
    load_weights_h5(branches(), data)
    data = edited(data, lambda file: file.__setitem__("blocks/scale_2/vars/0", np.zeros(3)))
    with pytest.raises(ShapeError, match='"blocks/scale_2": holds weights, but the model has no such layer'):
        load_weights_h5(branches(), data)


def test_skip_mismatch_loads_the_rest_with_a_warning() -> None:
    source = randomize(branches())
    data = edited(weights_h5_bytes(source), lambda file: file.__delitem__("_last"))
    layer = branches()
    before = values(layer)
    with pytest.warns(UserWarning, match="These layers keep their weights"):
        assert load_weights_h5(layer, data, skip_mismatch=True) == ["_last"]
    after = values(layer)
    assert same_values(after[-2:], before[-2:])
    assert same_values(after[:-2], values(source)[:-2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_weights_h5(layer, weights_h5_bytes(source), skip_mismatch=True) == []


def test_a_module_that_is_not_built_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match=r"Scale.*not built.*Call it on data first"):
        save_weights_h5(Scale(), tmp_path / "x.weights.h5")
    assert list(tmp_path.iterdir()) == []


def test_big_endian_and_packed_values_are_read() -> None:
    def pack(file: Any) -> None:
        vars_group = file["_last/vars"]
        del vars_group["0"]
        vars_group.create_dataset(
            "0", data=np.array([1, 2, 3], ">f8"), compression="gzip", shuffle=True, chunks=(2,)
        )

    layer = branches()
    load_weights_h5(layer, edited(weights_h5_bytes(layer), pack))
    np.testing.assert_array_equal(layer._last.factor.numpy(), [1, 2, 3])


def test_the_older_layout_is_refused_clearly(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(str(tmp_path / "old.h5"))
    with pytest.raises(FileFormatError, match=r"older .h5 layout. .*load_weights"):
        load_weights_h5(branches(), tmp_path / "old.h5")


def test_a_subclass_of_branches_is_walked_alike() -> None:
    class More(Branches):
        pass

    layer = More()
    layer(torch.ones(1, 3))
    assert [group.path for group in weight_groups(layer)][1:] == [g.path for g in weight_groups(branches())][
        1:
    ]
