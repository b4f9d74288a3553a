"""What every registered loss keeps to; one without a row here fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from contract import (
    check_config,
    check_documented,
    check_forgotten,
    check_public,
    features,
    moved,
    network,
    no_sync,
)

from neocog import functional, layers, losses
from neocog.losses import LOSSES, Loss

# Arguments, and the kind of targets and predictions that the loss is for.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "BinaryCrossentropy": ({"label_smoothing": 0.1}, "binary"),
    "BinaryFocalCrossentropy": ({"gamma": 1.5, "apply_class_balancing": True}, "binary"),
    "CTC": ({}, "sequence"),
    "CategoricalCrossentropy": ({"from_logits": True, "label_smoothing": 0.1}, "one_hot_logits"),
    "CategoricalFocalCrossentropy": ({"alpha": 0.3}, "one_hot"),
    "CategoricalGeneralizedCrossEntropy": ({"q": 0.4}, "classes"),
    "CategoricalHinge": ({}, "one_hot"),
    "Circle": ({"gamma": 8.0, "margin": 0.3}, "embeddings"),
    "CosineSimilarity": ({"axis": -1}, "real"),
    "Dice": ({"axis": (1,)}, "binary"),
    "Hinge": ({}, "signs"),
    "Huber": ({"delta": 0.5}, "real"),
    "KLDivergence": ({}, "one_hot"),
    "LogCosh": ({}, "real"),
    "LossFunctionWrapper": ({"fn": functional.huber, "delta": 0.5}, "real"),
    "MeanAbsoluteError": ({"reduction": "sum"}, "real"),
    "MeanAbsolutePercentageError": ({}, "positive"),
    "MeanSquaredError": ({"name": "mine"}, "real"),
    "MeanSquaredLogarithmicError": ({}, "positive"),
    "Poisson": ({}, "positive"),
    "SparseCategoricalCrossentropy": ({"ignore_class": 9}, "classes"),
    "SquaredHinge": ({}, "signs"),
    "Tversky": ({"alpha": 0.3, "beta": 0.6}, "binary"),
}
CLASSES = [name for name, entry in LOSSES.items() if isinstance(entry, type)]
FUNCTIONS = [name for name, entry in LOSSES.items() if not isinstance(entry, type)]
HEADS: dict[str, Any] = {
    "binary": lambda: [layers.Dense(4, activation="sigmoid")],
    "one_hot": lambda: [layers.Dense(4, activation="softmax")],
    "classes": lambda: [layers.Dense(4, activation="softmax")],
    "positive": lambda: [layers.Dense(4, activation="softplus")],
    "signs": lambda: [layers.Dense(4, activation="tanh")],
    "sequence": lambda: [layers.Dense(24), layers.Reshape((6, 4))],
    "embeddings": lambda: [layers.Dense(4), layers.UnitNormalization()],
}


def targets(kind: str, batch: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    numbers = torch.arange(batch) % 4
    if kind == "classes":
        return numbers
    if kind == "embeddings":
        return numbers // 2
    if kind == "sequence":
        return torch.randint(1, 4, (batch, 2), generator=generator)
    if kind.startswith("one_hot"):
        return torch.nn.functional.one_hot(numbers, 4).float()
    if kind == "binary":
        return torch.randint(0, 2, (batch, 4), generator=generator).float()
    if kind == "signs":
        return torch.randint(0, 2, (batch, 4), generator=generator).float() * 2 - 1
    drawn = torch.randn((batch, 4), generator=generator)
    return drawn.exp() if kind == "positive" else drawn


def predictions(kind: str, batch: int = 8) -> torch.Tensor:
    drawn = torch.randn(
        (batch, 6, 4) if kind == "sequence" else (batch, 4), generator=torch.Generator().manual_seed(6)
    )
    if kind in ("one_hot", "classes"):
        return drawn.softmax(-1)
    if kind == "embeddings":
        return torch.nn.functional.normalize(drawn)
    return {"binary": drawn.sigmoid(), "positive": drawn.exp(), "signs": drawn.tanh()}.get(kind, drawn)


def make(name: str, **extra: Any) -> Any:
    return LOSSES.resolve(name)(**{**CASES[name][0], **extra})


def draw(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    return targets(CASES[name][1]), predictions(CASES[name][1])


def test_every_registered_loss_has_a_row() -> None:
    assert set(CLASSES) == set(CASES)


def test_every_loss_is_public() -> None:
    check_public(LOSSES, losses)


@pytest.mark.parametrize("name", CLASSES)
class TestLoss:
    def test_documented(self, name: str) -> None:
        check_documented(LOSSES.resolve(name))

    def test_config_round_trip(self, name: str) -> None:
        loss = make(name)
        again = check_config(LOSSES, loss)
        assert torch.equal(again(*draw(name)), loss(*draw(name)))

    def test_unknown_argument_is_refused(self, name: str) -> None:
        with pytest.raises(TypeError, match="no_such_argument"):
            make(name, no_such_argument=1)(*draw(name))

    @pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "none", None])
    def test_reductions(self, name: str, reduction: str | None) -> None:
        values = make(name, reduction="none")(*draw(name))
        got = make(name, reduction=reduction)(*draw(name))
        if reduction in ("none", None):
            torch.testing.assert_close(got, values)
        else:
            expected = values.sum() if reduction == "sum" else values.mean()
            torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)

    def test_weights_of_zero_remove_a_sample(self, name: str) -> None:
        y_true, y_pred = draw(name)
        loss = make(name, reduction="none")
        values = loss(y_true, y_pred)
        if values.dim() == 0 or len(values) != len(y_true):
            pytest.skip("has no value a sample")
        weights = torch.ones(len(y_true))
        weights[0] = 0
        weighted = loss(y_true, y_pred, sample_weight=weights)
        torch.testing.assert_close(weighted, values * weights)

    def test_float64_and_half_precision(self, name: str) -> None:
        y_true, y_pred = draw(name)
        expected = make(name)(y_true, y_pred)
        exact = make(name, dtype="float64")(y_true, y_pred.double())
        assert exact.dtype is torch.float64
        torch.testing.assert_close(exact.float(), expected, rtol=1e-4, atol=1e-5)
        half = make(name)(y_true, y_pred.bfloat16())
        assert half.dtype is torch.float32
        torch.testing.assert_close(half, expected, rtol=0.1, atol=0.1)

    def test_arrays_are_taken(self, name: str) -> None:
        y_true, y_pred = draw(name)
        got = make(name)(y_true.numpy(), y_pred.numpy())
        torch.testing.assert_close(got, make(name)(y_true, y_pred))

    def test_gradients_reach_the_predictions_and_are_finite(self, name: str) -> None:
        y_true, y_pred = draw(name)
        y_pred.requires_grad_()
        make(name)(y_true, y_pred).backward()
        assert y_pred.grad is not None
        assert torch.isfinite(y_pred.grad).all()
        assert y_pred.grad.any()

    def test_nothing_is_kept(self, name: str) -> None:
        loss, (y_true, y_pred) = make(name), draw(name)
        check_forgotten(lambda: y_pred.clone().requires_grad_(), lambda x: loss(y_true, x).detach())

    def test_stays_on_the_device(self, name: str) -> None:
        loss, (y_true, y_pred) = make(name), draw(name)
        loss(y_true, y_pred)
        if name != "CTC":  # torch's own reads the lengths on the CPU
            with no_sync():
                loss(y_true, y_pred)
                loss(y_true, y_pred, sample_weight=torch.ones(len(y_true)))
            assert loss(y_true.to("meta"), y_pred.to("meta")).device.type == "meta"
            assert loss(y_true, y_pred.to("meta")).device.type == "meta"

    def test_inputs_stay_as_they_are(self, name: str) -> None:
        y_true, y_pred = draw(name)
        before = y_true.clone(), y_pred.clone()
        make(name)(y_true, y_pred)
        assert torch.equal(y_true, before[0])
        assert torch.equal(y_pred, before[1])

    def test_trains_a_model(self, name: str) -> None:
        kind = CASES[name][1]
        model = network(*HEADS.get(kind, lambda: [layers.Dense(4)])())
        model.compile("sgd", make(name))
        before = model.get_weights()
        history = model.fit(features(), targets(kind), batch_size=4, epochs=1, verbose=0)
        assert np.isfinite(history.history["loss"]).all()
        assert moved(before, model.get_weights())
        logs = model.evaluate(features(), targets(kind), batch_size=8, verbose=0)
        expected = make(name)(targets(kind), model(features(), training=False))
        np.testing.assert_allclose(logs, expected.item(), rtol=1e-4)


@pytest.mark.parametrize("name", FUNCTIONS)
class TestLossFunction:
    def test_documented(self, name: str) -> None:
        assert LOSSES.resolve(name).__doc__

    def test_is_what_its_class_computes(self, name: str) -> None:
        function: Any = LOSSES.resolve(name)
        owners = [c for c in CASES if getattr(losses, c)(**_needed(c)).__dict__.get("fn") is function]
        owners.remove("LossFunctionWrapper") if "LossFunctionWrapper" in owners else None
        assert len(owners) == 1, "every function has a class of its own"
        y_true, y_pred = targets(CASES[owners[0]][1]), predictions(CASES[owners[0]][1])
        loss = LOSSES.resolve(owners[0])()
        arguments = {"q": loss.q} if hasattr(loss, "q") else {}
        torch.testing.assert_close(function(y_true, y_pred, **arguments).mean(), loss(y_true, y_pred))

    def test_a_name_in_compile_is_a_loss(self, name: str) -> None:
        assert isinstance(losses.as_loss(name), Loss)
        assert losses.as_loss(name).name == name


def _needed(name: str) -> dict[str, Any]:
    return {"fn": functional.huber} if name == "LossFunctionWrapper" else {}
