"""TensorBoard's files against what Keras writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import LOGS, FakeModel, WeightedModel, files_under, run

from neocog import callbacks
from neocog.exceptions import MissingExtraError


def test_tensorboard_writes_what_keras_names(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = callbacks.TensorBoard(
        tmp_path,
        update_freq=2,
        histogram_freq=2,
        write_images=True,
        write_steps_per_second=True,
        embeddings_freq=5,
        embeddings_metadata=["a", "b", "c", "d"],
        profile_batch=(2, 3),
    )
    model = WeightedModel()
    run(board, model, LOGS[:3], batches=[{"loss": 1.0 / (index + 1)} for index in range(4)])
    board.set_model(model)
    board.on_test_end({"loss": 0.25})
    board.on_train_end()
    seen: dict[str, EventAccumulator] = {}
    for part in ("train", "validation"):
        seen[part] = EventAccumulator(str(tmp_path / part), size_guidance={"histograms": 0})
        seen[part].Reload()
    train = seen["train"]
    assert {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "epoch_steps_per_second"} <= set(
        train.Tags()["scalars"]
    )
    assert [event.value for event in train.Scalars("epoch_loss")] == pytest.approx([1.0, 0.5, 0.6])
    assert [event.step for event in train.Scalars("batch_loss")] == [2, 4, 6, 8, 10, 12]
    assert {"0/weight/histogram", "1/bias/histogram"} <= set(train.Tags()["histograms"])
    assert [event.step for event in train.Histograms("1/weight/histogram")] == [0, 2]
    assert "1/weight/image" in train.Tags()["images"]
    assert set(seen["validation"].Tags()["scalars"]) == {
        "epoch_loss",
        "epoch_accuracy",
        "evaluation_loss_vs_iterations",
    }
    names = files_under(tmp_path)
    assert any(name.endswith("tensors.tsv") for name in names)
    assert any(name.endswith(".pt.trace.json") for name in names)


def test_tensorboard_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"neocog\[tensorboard\]"):
        callbacks.TensorBoard().set_model(FakeModel())
