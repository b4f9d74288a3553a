"""Symbolic tensors, nodes and programs: shapes with unknown sizes, torch functions and modules, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from neocog.exceptions import ArgumentError, GraphError
from neocog.graph import Input, Program, SymbolicTensor


def test_input_puts_the_batch_first() -> None:
    assert Input((28, 28, 1)).shape == (None, 28, 28, 1)
    assert Input(shape=(None, None, 3), batch_size=2).shape == (2, None, None, 3)
    assert Input(batch_shape=(4, 5)).shape == (4, 5)
    assert Input((3,), dtype="uint8", name="photo").dtype == "uint8"


@pytest.mark.parametrize("arguments", [{}, {"shape": (2,), "batch_shape": (None, 2)}])
def test_input_wants_one_shape(arguments: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=r"either shape .* or batch_shape"):
        Input(**arguments)  # type: ignore[arg-type]


@given(
    height=st.integers(8, 20), width=st.integers(8, 20), kernel=st.integers(1, 5), stride=st.integers(1, 3)
)
def test_shape_of_a_torch_module_is_the_real_one(height: int, width: int, kernel: int, stride: int) -> None:
    module = nn.Conv2d(2, 3, kernel, stride)
    symbolic = module(Input((2, height, width)))
    assert symbolic.shape == (None, *module(torch.zeros(1, 2, height, width)).shape[1:])


def test_unknown_sizes_stay_unknown() -> None:
    x = Input((None, None, 3))
    assert torch.permute(x, (0, 3, 1, 2)).shape == (None, 3, None, None)
    assert torch.mean(x, dim=(1, 2)).shape == (None, 3)
    assert (x[:, ::2] * 2 + 1).shape == (None, None, None, 3)


def test_a_program_computes_what_the_expressions_say() -> None:
    x, y = Input((3,)), Input((3,))
    z = torch.relu(x - y) / 2 + (1 - x) * y**2 - (-x)
    a, b = torch.randn(5, 3), torch.randn(5, 3)
    result = Program([x, y], {"z": z, "both": [x, z]}).run([a, b])
    expected = torch.relu(a - b) / 2 + (1 - a) * b**2 + a
    torch.testing.assert_close(result["z"], expected)
    torch.testing.assert_close(result["both"][0], a)


def test_comparisons_and_matmul_are_recorded() -> None:
    x = Input((4, 4))
    a = torch.randn(2, 4, 4)
    program = Program([x], [x @ x, x > 0, abs(x)])
    product, positive, absolute = program.run([a])
    torch.testing.assert_close(product, a @ a)
    assert torch.equal(positive, a > 0)
    torch.testing.assert_close(absolute, a.abs())


def test_a_module_keeps_its_parameters_and_its_mode() -> None:
    dropout = nn.Dropout(0.5)
    x = Input((100,))
    program = Program([x], dropout(x))
    ones = torch.ones(1, 100)
    dropout.eval()
    assert torch.equal(program.run([ones]), ones)
    dropout.train()
    assert not torch.equal(program.run([ones]), ones)


def test_shape_inference_leaves_statistics_and_random_state_alone() -> None:
    norm = nn.BatchNorm1d(4)
    before = torch.random.get_rng_state()
    nn.Dropout(0.5)(norm(Input((4,))))
    assert torch.equal(norm.running_mean, torch.zeros(4))
    assert norm.num_batches_tracked == 0
    assert torch.equal(before, torch.random.get_rng_state())


def test_values_of_a_deep_chain_are_forgotten_when_used() -> None:
    alive = 0
    peak = 0

    class Counting(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            nonlocal alive, peak
            alive += 1
            peak = max(peak, alive)
            result = x + 1
            import weakref

            weakref.finalize(result, _gone)
            return result

    def _gone() -> None:
        nonlocal alive
        alive -= 1

    x = y = Input((2,))
    for _ in range(20):
        y = Counting()(y)
    program = Program([x], y)
    alive = peak = 0
    with torch.no_grad():
        program.run([torch.zeros(1, 2)])
    assert peak <= 3


def test_a_very_deep_graph_has_no_recursion_limit() -> None:
    x = y = Input((1,))
    for _ in range(3000):
        node_input = y
        y = SymbolicTensor(y.shape)
        from neocog.graph import Node

        Node(torch.neg, (node_input,), {}, y)
    assert len(Program([x], y).nodes) == 3000


def test_errors_say_what_to_do() -> None:
    x = Input((4,), name="left")
    with pytest.raises(GraphError, match="Put the decision into a Layer"):
        bool(x > 0)
    with pytest.raises(GraphError, match="NumPy functions cannot join"):
        np.asarray(x)
    with pytest.raises(GraphError, match='needs the Input "left"'):
        Program([Input((4,))], torch.relu(x))
    with pytest.raises(GraphError, match=r"shape \(None, 4\)"):
        nn.Linear(5, 2)(x)


def test_a_function_that_needs_values_is_run_on_real_ones() -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 if float(x.sum()) > 0 else x[:, :2]

    assert Branching()(Input((6,))).shape == (None, 2)
