"""The mean forms say what the formulas say, ranks meet as in Keras, and nothing waits for the device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog import functional, losses
from neocog.functional import MEAN_FORMS, loss_pair, match_ranks, precise

ARGUMENTS: dict[Any, list[dict[str, Any]]] = {
    functional.mean_squared_error: [{}],
    functional.mean_absolute_error: [{}],
    functional.huber: [{}, {"delta": 0.4}],
    functional.binary_crossentropy: [{}, {"from_logits": True}, {"label_smoothing": 0.2, "axis": 0}],
    functional.categorical_crossentropy: [
        {"from_logits": True},
        {"from_logits": True, "label_smoothing": 0.1},
    ],
    functional.sparse_categorical_crossentropy: [{}, {"from_logits": True}],
}


def test_every_mean_form_has_a_case() -> None:
    assert set(ARGUMENTS) == set(MEAN_FORMS)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(f, a) for f, many in ARGUMENTS.items() for a in many],
    ids=lambda item: getattr(item, "__name__", None) or str(item),
)
@given(samples=st.integers(1, 7), classes=st.sampled_from([1, 2, 5, 70]), seed=st.integers(0, 10**6))
def test_mean_forms_are_the_means(
    function: Any, arguments: dict[str, Any], samples: int, classes: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    y_pred = torch.rand(samples, classes, generator=generator, dtype=torch.float64)
    y_true: torch.Tensor = torch.rand(samples, classes, generator=generator, dtype=torch.float64).round()
    if function is functional.sparse_categorical_crossentropy:
        y_true = torch.randint(0, classes, (samples,), generator=generator)
    mean = MEAN_FORMS[function](y_true, y_pred, **arguments)
    torch.testing.assert_close(mean, function(y_true, y_pred, **arguments).mean())


def test_mean_forms_leave_other_shapes_alone() -> None:
    y, p = torch.zeros(4, 1), torch.ones(4, 3)
    assert MEAN_FORMS[functional.mean_squared_error](y, p) is None
    assert MEAN_FORMS[functional.huber](p, p, delta=0) is None
    assert MEAN_FORMS[functional.categorical_crossentropy](p, p) is None
    assert MEAN_FORMS[functional.sparse_categorical_crossentropy](y, p, ignore_class=0) is None
    assert MEAN_FORMS[functional.mean_absolute_error](p[:0], p[:0]) is None


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ((4,), (4, 1), ((4, 1), (4, 1))),
        ((4, 1), (4,), ((4, 1), (4, 1))),
        ((4, 3, 1), (4, 3), ((4, 3), (4, 3))),
        ((4, 3), (4, 3, 1), ((4, 3), (4, 3))),
        ((4,), (4, 3), ((4,), (4, 3))),
        ((4, 1), (4, 3), ((4, 1), (4, 3))),
        ((), (1,), ((), ())),
        ((4, 1, 1), (4,), ((4, 1, 1), (4,))),
    ],
)
def test_ranks_meet(first: Any, second: Any, result: Any) -> None:
    a, b = match_ranks(torch.zeros(first), torch.zeros(second))
    assert (tuple(a.shape), tuple(b.shape)) == result


def test_inputs_become_precise() -> None:
    assert precise([1, 2]).dtype == torch.float32
    assert precise(torch.zeros(2, dtype=torch.bfloat16)).dtype == torch.float32
    assert precise(torch.zeros(2, dtype=torch.float64)).dtype == torch.float64
    y_true, y_pred = loss_pair([1, 2], torch.zeros(2, dtype=torch.float64))
    assert y_true.dtype == y_pred.dtype == torch.float64


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [n for n, e in losses.LOSSES.items() if isinstance(e, type)])
def test_nothing_reads_values_on_the_host(name: str, weighted: bool) -> None:
    """Tensors without values (meta) fail at every `.item()` or `bool()`: none may be left."""
    if name == "LossFunctionWrapper" or name == "CTC":  # torch's own CTC kernel reads the lengths
        return
    p = torch.ones(4, 3, device="meta", requires_grad=True)
    of_labels = name.startswith("Sparse") or "Generalized" in name or name == "Circle"
    y = torch.zeros((4,) if of_labels else (4, 3), dtype=torch.int64, device="meta")
    weight = torch.ones((), device="meta") if weighted else None
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight", "none"):
        getattr(losses, name)(reduction=reduction)(y, p, weight).sum().backward()
    with pytest.raises(RuntimeError, match="meta"):
        p.sum().item()
