"""What was found of images lies in the store of features: found again, bounded, whole or not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neocog.diagnosis import _examine as examine
from neocog.diagnosis import classical, look_at_all
from neocog.diagnosis._store import LookStore
from neocog.transfer import _feature_store as store


def photographs(folder: Path, count: int, seed: int = 0) -> tuple[str, ...]:
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    paths = []
    for number in range(count):
        small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        path = folder / f"{seed}-{number}.png"
        Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC).save(path)
        paths.append(str(path))
    return tuple(paths)


def test_a_second_look_decodes_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, features = tmp_path / "cache", classical()
    paths = photographs(tmp_path / "p", 5)
    first, numbers = look_at_all(paths, features, cache=cache)
    seen: list[str] = []
    real = examine.look_at_file
    monkeypatch.setattr(
        examine, "look_at_file", lambda path, **k: (seen.append(str(path)), real(path, **k))[1]
    )
    more = (*paths, *photographs(tmp_path / "p", 2, seed=1))
    second, again = look_at_all(more, features, cache=cache)
    assert sorted(seen) == sorted(more[5:])
    assert first.sha256 == second.sha256[:5]
    for name in ("height", "width", "orientation", "brightness", "contrast", "sharpness", "thumbs"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name)[:5])
    np.testing.assert_array_equal(numbers, again[:5])
    third, _ = look_at_all(more, features, cache=cache)
    assert len(seen) == 2  # two entries, read together
    np.testing.assert_array_equal(second.thumbs, third.thumbs)
    look_at_all(paths, None, cache=cache)
    assert len(seen) == 7  # other rows: without features


def test_damaged_entries_are_not_used_and_cost_nothing(tmp_path: Path) -> None:
    cache, paths = tmp_path / "cache", photographs(tmp_path / "p", 3)
    first, _ = look_at_all(paths, None, cache=cache)
    for name in ("thumb.bin", "digest.bin"):
        entry = next(cache.iterdir())
        (entry / name).write_bytes(b"short")
        again, _ = look_at_all(paths, None, cache=cache)
        np.testing.assert_array_equal(first.thumbs, again.thumbs)


def test_a_disk_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    paths = photographs(tmp_path / "p", 3)
    looks, _ = look_at_all(paths, None, cache=tmp_path / "file")
    kept, _ = look_at_all(paths, None, cache=False)
    np.testing.assert_array_equal(looks.thumbs, kept.thumbs)
    assert not looks.reasons


def test_a_full_disk_holds_nothing_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: store.Writer, name: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.Writer, "_opened", full)
    writer = store.Writer("looks-a", root=tmp_path, spared=True)
    for _ in range(3):
        writer.add({"digest": np.zeros((2, 32), np.uint8)})
    assert writer.finish({}) == {}
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_look_keeps_what_it_found(tmp_path: Path) -> None:
    cache, paths = tmp_path / "cache", photographs(tmp_path / "p", 70)

    def stop(what: str, done: int, total: int) -> None:
        if done == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_at_all(paths, None, cache=cache, progress=stop)
    assert not [item for item in cache.iterdir() if item.name.startswith(".")]
    assert len(LookStore(f"{examine._LOOKS_KEY}-none", cache)) >= 32


def test_both_kinds_of_entries_share_one_bound(tmp_path: Path) -> None:
    for number in range(3):
        look_at_all(photographs(tmp_path / "p", 2, seed=number), None, cache=tmp_path / "cache")
    writer = store.Writer("f" * 64, root=tmp_path / "cache")
    writer.add({"output_0": np.zeros((4, 4), np.float32)})
    writer.finish({})
    assert len(store.names("looks-", tmp_path / "cache")) == 3
    store.prune(limit=0, keep="f" * 64, root=tmp_path / "cache")
    assert store.names("", tmp_path / "cache") == ["f" * 64]


def filled(cache: Path, entries: int) -> list[str]:
    """Put entries of one row each into a store, as checks do that each find one new image."""
    digests = [f"{number:064x}" for number in range(entries)]
    for number, digest in enumerate(digests):
        kept = LookStore("key", cache)
        kept.put([digest], {"measured": np.full((1, 2), number, np.float64)})
        kept.close()
    return digests


def test_many_small_entries_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = filled(tmp_path, 20)
    monkeypatch.setattr("neocog.diagnosis._store._MOST_ENTRIES", 4)
    (tmp_path / next(iter(store.names("", tmp_path))) / "measured.bin").write_bytes(b"short")
    kept = LookStore("key", tmp_path)
    assert len(kept) == 19
    assert len(store.names("", tmp_path)) == 2  # and the damaged one, which is no one's
    for number, digest in enumerate(digests):
        row = kept.get(digest)
        assert row is None or row["measured"].tolist() == [number, number]
    assert sum(digest in kept for digest in digests) == 19
    assert len(LookStore("key", tmp_path)) == 19


def test_large_entries_stay_and_a_full_disk_costs_rows_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, 8)
    monkeypatch.setattr("neocog.diagnosis._store._MOST_ENTRIES", 4)
    with monkeypatch.context() as full:
        full.setattr(store, "_new_folder", lambda *arguments: None)
        assert len(LookStore("key", tmp_path)) == 4
    assert len(store.names("", tmp_path)) == 8
    monkeypatch.setattr("neocog.diagnosis._store._LARGE", 1)
    assert len(LookStore("key", tmp_path)) == 4
    assert len(store.names("", tmp_path)) == 8
