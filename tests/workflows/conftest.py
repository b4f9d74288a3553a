"""One run on the digits and one on drawn shapes, trained once for all tests here."""

from __future__ import annotations

import pytest
from blank import blank_pictures
from drawn_shapes import HOSTILE, HOSTILE_FILE, Trained, shapes

from neocog.workflows import Event, TrainConfig, train

__all__ = ["blank_pictures", "digits_run", "shapes_run"]


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Three epochs of a perceptron on the digits."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    events: list[Event] = []
    result = train(TrainConfig(data="digits", model="mlp", epochs=3, out=str(folder)), events.append)
    return Trained(result=result, data=None, events=events)


@pytest.fixture(scope="session")
def shapes_run(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One epoch on three classes of shapes, among them hostile names, broken files and a copy."""
    root = shapes(
        tmp_path_factory.mktemp("data") / "drawn shapes", {"circle": 14, HOSTILE: 12, "막대 $x$": 12}
    )
    (root / "circle" / "empty.png").write_bytes(b"")
    whole = (root / "circle" / "000.png").read_bytes()
    (root / "circle" / "cut.png").write_bytes(whole[: len(whole) // 2])
    for number in range(6):  # copies: some of them land in another part than the first
        (root / HOSTILE_FILE.replace(".png", f"{number}.png")).write_bytes(whole)
    (root / "circle" / "notes.txt").write_text("not an image")
    events: list[Event] = []
    out = tmp_path_factory.mktemp("runs") / "shapes run"
    config = TrainConfig(data=str(root), model="mlp", epochs=1, out=str(out), batch_size=8)
    return Trained(result=train(config, events.append), data=root, events=events)
