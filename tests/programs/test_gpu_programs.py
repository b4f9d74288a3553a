"""The suite `gpu` and the CIFAR-10 recipe, as far as they go without a GPU."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras

ROOT = Path(__file__).parents[2]


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    before = set(sys.modules)
    yield _load(ROOT / "benchmarks" / "gpu.py")
    for name in set(sys.modules) - before:
        if name in ("gpu_networks", "networks", "tables"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def recipe() -> Any:
    return _load(ROOT / "examples" / "cifar10_fast.py")


def test_both_forms_are_the_same_network(suite: Any) -> None:
    for case in suite.cases(dry=True):
        own = case.network.neocog()
        theirs = case.network.torch()
        shapes = [sorted(tuple(p.shape) for p in part.parameters()) for part in (own, theirs)]
        assert shapes[0] == shapes[1], case.name


def test_the_big_network_has_the_papers_weights(suite: Any) -> None:
    with torch.device("meta"):
        module = suite.ResNet50(64)
    convolutions = sum(p.numel() for p in module.parameters()) - sum(
        p.numel() for p in module.head.parameters()
    )
    assert convolutions == 25_557_032 - 2_049_000  # of the one with 1,000 classes, without its last layer


def test_a_dry_run_of_the_suite(suite: Any) -> None:
    told: list[Any] = []
    rows = suite.run(0.001, 1, "resnet50,mlp-4", done=told.append, dry=True)
    assert rows == told
    assert [row["case"] for row in rows] == ["resnet50", "mlp-4"]
    for row in rows:
        assert row["ratio"] > 0
        assert row["plan"].startswith("plan: ")
        assert row["against"] in ("torch compiled", "torch eager", "torch graph")


def test_recorded_steps_that_go_wrong_are_not_measured(suite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in suite.cases(dry=True) if case.name == "mlp-4")
    assert suite._disagreement(case, torch.device("cpu")) == 0.0
    losses = iter([[2.0, 1.0], [2.0, 1.1]])
    monkeypatch.setattr(suite.NeocogFit, "losses", lambda self, epochs: next(losses))
    with pytest.raises(SystemExit, match=r"mlp-4: recorded steps give losses \[2.0, 1.0\]"):
        suite._disagreement(case, torch.device("cpu"))


def test_the_suite_says_what_is_missing(suite: Any) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(SystemExit, match="--dry-run"):
            suite.run()
    with pytest.raises(SystemExit, match="no case"):
        suite.run(only="resnet51", dry=True)


def test_whitened_patches_are_uncorrelated(recipe: Any) -> None:
    rng = np.random.default_rng(0)
    images = (rng.random((64, 32, 32, 1)) * rng.random((64, 1, 1, 3)) * 255).astype("uint8")
    kernel = recipe.whitening_kernel(images)
    assert kernel.shape == (2, 2, 3, 24)
    scaled = (images / 255.0 - recipe.MEAN) / recipe.DEVIATION
    x = torch.from_numpy(scaled).permute(0, 3, 1, 2).float()
    outputs = torch.nn.functional.conv2d(x, torch.from_numpy(kernel[..., :12]).permute(3, 2, 0, 1))
    found = np.corrcoef(outputs[..., ::3, ::3].permute(1, 0, 2, 3).reshape(12, -1).numpy())
    assert np.abs(found - np.eye(12)).max() < 0.05
    before = np.corrcoef(x.permute(1, 0, 2, 3).reshape(3, -1).numpy())
    assert np.abs(before - np.eye(3)).max() > 0.1  # the images themselves are correlated


def test_the_mean_over_views_weighs_the_middle_as_much_as_both_others(recipe: Any) -> None:
    images = np.arange(2 * 4 * 4 * 1, dtype="uint8").reshape(2, 4, 4, 1)
    (first, same), (second, up), (third, down) = recipe.views(images)
    assert (first, second, third) == (0.5, 0.25, 0.25)
    np.testing.assert_array_equal(same, images)
    np.testing.assert_array_equal(up[:, 1:, 1:], images[:, :-1, :-1])
    np.testing.assert_array_equal(
        up[:, 0, 1:], images[:, 1, :-1]
    )  # what comes in is the mirror of what is there
    np.testing.assert_array_equal(down[:, :-1, :-1], images[:, 1:, 1:])


def test_a_copy_with_losses_is_told_from_the_originals(recipe: Any) -> None:
    images = np.zeros((2, 32, 32, 3), "uint8")
    assert not recipe.are_originals(images)
    images[0, 0, 0] = 59, 62, 63
    assert recipe.are_originals(images)


def test_the_rate_rises_and_falls(recipe: Any) -> None:
    rate = recipe.Triangle(2.0, 100)
    assert rate(0) == pytest.approx(0.4)
    assert rate(23) == pytest.approx(2.0)
    assert rate(100) == pytest.approx(0.14)
    assert recipe.Triangle.from_config(rate.get_config())(50) == rate(50)


def test_the_recipe_learns(recipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripes of ten directions, which no flip or shift makes one another's."""
    rng = np.random.default_rng(0)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 10
        rows, columns = np.mgrid[0:32, 0:32]
        waves = np.sin(
            rows * (0.15 * (labels // 2 + 1))[:, None, None] + columns * (labels % 2)[:, None, None]
        )
        images = 128 + 60 * waves[..., None] + rng.normal(size=(count, 32, 32, 3)) * 20
        return images.clip(0, 255).astype("uint8"), labels[:, None].astype("uint8")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: (drawn(400), drawn(100)))
    settings = recipe.Settings(images=400, width=0.125, epochs=6, batch_size=50, rate=10.0, test_images=100)
    found = recipe.train(settings, verbose=0)
    assert found["accuracy"] > 0.6
    assert found["loss"][-1] < found["loss"][0]
