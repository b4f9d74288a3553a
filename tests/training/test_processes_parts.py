"""The parts that several processes are made of, each by itself, in one process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed

import neocog as keras
from neocog import layers
from neocog.core import OwnRows, common_state, drawing_again, drawn, for_all_rows, on_rows, own_part
from neocog.exceptions import ArgumentError, FileFormatError
from neocog.files import file_digest
from neocog.layers._synchronized_norm import Normalized, sum_over_all
from neocog.optimizers._norms import norms_summed_by, whole_norms
from neocog.training import _world
from neocog.training._rounds import agree_on_round
from neocog.training._sharded import _check
from neocog.training._sharded_files import check_shares, remove_shares

needs_distributed = pytest.mark.skipif(
    not distributed.is_available(), reason="torch without distributed training"
)


@pytest.fixture
def group() -> Iterator[None]:
    """A group of one process: exchanges without anybody to exchange with."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def parts(total: int, size: int) -> list[OwnRows]:
    """The rows of each of several processes, drawing from generators in the same state."""
    found = []
    for rank in range(size):
        first, last = rank * total // size, (rank + 1) * total // size
        common = torch.Generator().manual_seed(5)
        rows = OwnRows(first, last - first, total, common=common)
        found.append(rows if last > first else OwnRows(total - 1, 1, total, True, common))
    return found


@pytest.mark.parametrize("shape", [(7, 3), (7, 2, 2, 5), (14, 3), (1, 3)])
def test_all_draw_what_one_draws(shape: tuple[int, ...]) -> None:
    alone = torch.empty(shape).normal_(generator=torch.Generator().manual_seed(5))
    together = []
    for rows in parts(7, 3):
        own = (shape[0] // 7 * rows.count, *shape[1:]) if shape[0] > 1 else shape
        with on_rows(rows):
            values = drawn(torch.empty(own), own, lambda t: t.normal_(generator=rows.common))
        together.append(values)
    if shape[0] == 1:
        assert all(torch.equal(values, alone) for values in together)
    else:
        torch.testing.assert_close(torch.cat(together), alone, rtol=0, atol=0)


def test_a_process_without_rows_draws_the_last_one_and_stays_in_step() -> None:
    alone = torch.rand(2, 4, generator=torch.Generator().manual_seed(5))
    generators = []
    for rows in parts(2, 3):
        with on_rows(rows):
            values = own_part(torch.rand(len(for_all_rows(torch.zeros(1, 9))), 4, generator=rows.common), 1)
        expected = alone[rows.first : rows.first + 1]
        torch.testing.assert_close(values, expected, rtol=0, atol=0)
        generators.append(rows.common)
    assert all(torch.equal(g.get_state(), generators[0].get_state()) for g in generators)  # type: ignore[union-attr]


def test_what_is_computed_again_draws_again() -> None:
    rows = parts(4, 2)[1]
    with on_rows(rows):
        state = common_state()
        layer = layers.Dropout(0.5)
        first = layer(torch.ones(2, 50), training=True)
        with drawing_again(state):
            again = layer(torch.ones(2, 50), training=True)
        other = layer(torch.ones(2, 50), training=True)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("kind", [layers.RandAugment, layers.AugMix, layers.RandomRotation])
def test_augmentations_of_a_share_are_those_of_one_process(kind: Any) -> None:
    total, images = 11, torch.rand(11, 9, 9, 3) * 255
    options = {"fill_mode": "nearest"} if kind is layers.RandomRotation else {}
    layer = kind(factor=0.4, **options)
    with on_rows(OwnRows(0, total, total, common=torch.Generator().manual_seed(5))):
        alone = layer(images, training=True)
    for size in (2, 4):
        shares = []
        for rows in parts(total, size):
            with on_rows(rows):
                shares.append(layer(images[rows.first : rows.first + rows.count], training=True))
        torch.testing.assert_close(torch.cat(shares), alone, rtol=0, atol=1e-4)
    assert not torch.allclose(alone, images)


@needs_distributed
@pytest.mark.parametrize("affine", [True, False])
def test_normalisation_over_processes_has_its_gradients(group: None, affine: bool) -> None:
    x = torch.randn(5, 3, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.rand(3, dtype=torch.float64, requires_grad=True) if affine else None
    bias = torch.rand(3, dtype=torch.float64, requires_grad=True) if affine else None
    assert torch.autograd.gradcheck(
        lambda *args: Normalized.apply(*args, 1e-3, True)[0], (x, weight, bias), check_undefined_grad=False
    )
    assert torch.autograd.gradcheck(sum_over_all, (x,))
    outputs, mean, variance = Normalized.apply(x, weight, bias, 1e-3, True)
    expected = torch.nn.functional.batch_norm(x, None, None, weight, bias, True, eps=1e-3)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(variance, x.var((0, 2), correction=0))
    torch.testing.assert_close(mean, x.mean((0, 2)))


@needs_distributed
def test_rows_that_stand_in_do_not_count(group: None) -> None:
    x = torch.randn(4, 3, requires_grad=True)
    outputs, mean, variance = Normalized.apply(x, None, None, 1e-3, False)
    assert mean.abs().sum() == variance.abs().sum() == 0
    (outputs * 0).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() == 0


@needs_distributed
def test_processes_that_start_again_agree_on_a_round() -> None:
    store = distributed.HashStore()
    names: list[set[str]] = []
    for _ in range(3):  # what earlier rounds left stays in the store
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda rank=rank: found.append(agree_on_round(store, rank, 3, 20)))
            for rank in (2, 1, 0)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert len(found) == 3
        names.append(set(found))
    assert [len(name) for name in names] == [1, 1, 1]
    assert len(set.union(*names)) == 3
    with pytest.raises(keras.exceptions.NeocogError, match="3 processes"):
        agree_on_round(store, 0, 3, 0.5)  # the tokens of the others are old


def test_the_engines_threads_get_the_lock_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gloo's threads drop what was sent last; one that waits for the lock as all ends aborts the process."""
    sent, dropped = threading.Event(), threading.Event()

    def drop() -> None:
        sent.wait()
        dropped.set()

    thread = threading.Thread(target=drop)
    thread.start()
    monkeypatch.setattr(_world.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(_world.distributed, "destroy_process_group", sent.set)
    monkeypatch.setattr(_world, "_LAST_WORDS", 5.0)
    monkeypatch.setattr(_world.time, "sleep", dropped.wait)  # lets go of the lock, as it does, and no longer
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60.0)  # nobody gets the lock unless it is given
    try:
        _world._leave()
        assert dropped.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_norms_of_whole_gradients() -> None:
    shares = [torch.tensor([3.0]), torch.tensor([4.0])]
    norms = [share.norm() for share in shares]
    assert whole_norms(norms) == norms
    with norms_summed_by(lambda squares: squares.mul_(4)):
        assert [float(norm) for norm in whole_norms(norms)] == [6.0, 8.0]


def compiled(optimizer: Any, **kwargs: Any) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, **kwargs)])
    model.compile(optimizer, "mse", sharded=True)
    model.fit(torch.zeros(4, 4), torch.zeros(4, 3), verbose=0)  # alone: an ordinary model
    return model


@pytest.mark.parametrize(
    ("optimizer", "kwargs", "text"),
    [
        ("lamb", {}, "Lamb"),
        ("muon", {}, "Muon"),
        ("sgd", {"kernel_constraint": "non_neg"}, "no constraints"),
    ],
)
def test_what_shares_cannot_do_is_refused(optimizer: Any, kwargs: Any, text: str) -> None:
    with pytest.raises(ArgumentError, match=text):
        _check(compiled(optimizer, **kwargs))
    _check(compiled("adam"))


def test_shares_are_checked_before_they_are_read(tmp_path: Path) -> None:
    place = tmp_path / "shards-000000000007-0123abcd"
    place.mkdir()
    file = place / "shard-00001.safetensors"
    file.write_bytes(b"whole")
    shares = {"folder": place.name, "files": {file.name: [5, file_digest(file)]}, "tensors": {}}
    check_shares(tmp_path, shares)
    with pytest.raises(FileFormatError, match="a folder of shares"):
        check_shares(tmp_path, {**shares, "folder": "../elsewhere"})
    with pytest.raises(FileFormatError, match="no such file"):
        check_shares(tmp_path, {**shares, "files": {"../x.safetensors": [5, ""]}})
    file.write_bytes(b"whale")
    with pytest.raises(FileFormatError, match="undamaged"):
        check_shares(tmp_path, shares)
    file.write_bytes(b"whole")
    (place / "more.safetensors").write_bytes(b"")
    with pytest.raises(FileFormatError, match="alone"):
        check_shares(tmp_path, shares)
    remove_shares(tmp_path, keep={7})
    assert place.exists()
    remove_shares(tmp_path)
    assert not place.exists()
