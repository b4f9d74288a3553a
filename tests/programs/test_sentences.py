"""The sentence classifiers of `examples/sentences.py` on the real polarity sentences, held to a limit."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neocog as keras
from neocog import layers

EXAMPLE = Path(__file__).parents[2] / "examples" / "sentences.py"


@pytest.fixture(scope="module")
def program() -> Any:
    spec = importlib.util.spec_from_file_location("sentences", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sentences(program: Any) -> tuple[Any, Any]:
    folder = Path(os.environ.get("NEOCOG_DATA", "")) / "text"
    if "NEOCOG_DATA" not in os.environ or not (folder / "rt-polarity.pos").exists():
        pytest.skip("the polarity sentences are not at hand (NEOCOG_DATA)")
    return program.read_sentences(folder)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("form", ["parallel_widths", "word_windows"])
def test_held_out_sentences(program: Any, sentences: tuple[Any, Any], form: str) -> None:
    texts, labels = sentences
    held_out = len(texts) // 10
    keras.utils.set_random_seed(1)
    numbers = program.words_to_numbers(texts[held_out:])
    model = getattr(program, form)(numbers)
    program.train(model, texts[held_out:], labels[held_out:])
    _, accuracy = model.evaluate(texts[:held_out], labels[:held_out], verbose=0)
    assert accuracy >= 0.75


def test_both_forms_learn_a_word(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LENGTH", 8)
    monkeypatch.setattr(program, "DIMENSIONS", 8)
    texts = np.array([f"w{i} is {'good' if i % 2 else 'bad'} , word {i % 7} more words" for i in range(128)])
    labels = np.arange(128) % 2
    for make in (program.parallel_widths, program.word_windows):
        keras.utils.set_random_seed(0)
        model = make(program.words_to_numbers(texts))
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
        model.fit(texts, labels, batch_size=16, epochs=6, verbose=0)
        assert model.evaluate(texts, labels, verbose=0)[1] > 0.95


def test_a_word_window_is_a_1d_kernel_over_the_embedding() -> None:
    embedded = np.random.default_rng(0).normal(size=(2, 9, 6)).astype("float32")
    series, image = layers.Conv1D(5, 4, activation="relu"), layers.Conv2D(5, (4, 6), activation="relu")
    expected = series(embedded)
    got = image(embedded[..., None])
    assert got.shape == (2, 6, 1, 5)  # it moves along the sentence alone
    kernel, bias = series.get_weights()  # (4, 6, 5)
    image.set_weights([kernel[:, :, None], bias])
    np.testing.assert_allclose(
        image(embedded[..., None])[:, :, 0].detach(), expected.detach(), rtol=1e-5, atol=1e-6
    )
