"""Copies: laws of the hashes, alterations that must not hide a copy, crowds that must not cost a square."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from neocog.diagnosis import Look, find_duplicates, gather_looks, look_at_file, look_at_pixels
from neocog.diagnosis._candidates import _ASKED, find_candidates
from neocog.diagnosis._copies import copy_findings
from neocog.diagnosis._duplicates import Duplicates, Pair
from neocog.diagnosis._findings import Finding, Samples
from neocog.diagnosis._hashes import FINE, TURNS, coefficients, pack, turn_picture, turned
from neocog.diagnosis._look import SIDE


def scene(seed: int, width: int = 240, height: int = 180) -> Image.Image:
    """A picture with structure at every size, as photographs have."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for power in range(2, 8):
        side = 2**power
        layer = rng.normal(size=(side, side, 3)).astype(np.float32)
        for channel in range(3):
            drawn = Image.fromarray(layer[..., channel]).resize((width, height), Image.Resampling.BICUBIC)
            total[..., channel] += np.asarray(drawn) * 0.6**power
    total -= total.min()
    return Image.fromarray((total * (255 / total.max())).astype(np.uint8))


def stored(image: Image.Image, quality: int = 60) -> Image.Image:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue()))


def looked(images: list[Image.Image]) -> list[Look]:
    return [look_at_pixels(np.asarray(image.convert("RGB"))) for image in images]


@pytest.mark.parametrize("turn", range(TURNS))
def test_turning_the_picture_turns_its_frequencies(turn: int) -> None:
    picture = np.asarray(scene(0).convert("L").resize((SIDE, SIDE)))
    whole = (0.0,)
    straight = coefficients(np.ascontiguousarray(turn_picture(picture, turn))[None], whole)[0, 0]
    by_signs = turned(coefficients(picture[None], whole)[0, 0], turn)
    np.testing.assert_allclose(straight, by_signs, atol=1e-3)


def test_a_hash_does_not_see_brightness_but_sees_another_picture() -> None:
    one, two = (np.asarray(scene(k).convert("L").resize((SIDE, SIDE))).astype(np.float32) for k in (0, 1))
    hashes = pack(coefficients(np.stack([one, one * 0.5 + 40, two]), (0.0,)))[:, 0]
    assert hashes[0] == hashes[1]
    assert int(hashes[0] ^ hashes[2]).bit_count() > 10


ALTERED = {
    "quality 20": lambda image: stored(image, 20),
    "half the size": lambda image: image.resize((120, 90)),
    "crop 15 %": lambda image: stored(image.crop((36, 27, 204, 153))),
    "crop to one corner": lambda image: stored(image.crop((0, 0, 204, 153))),
    "crop 20 %": lambda image: stored(image.crop((48, 36, 192, 144))),
    "crop 20 % off one edge": lambda image: stored(image.crop((0, 0, 192, 180))),
    "turned by 4 degrees": lambda image: stored(image.rotate(4, Image.Resampling.BICUBIC)),
    "turned back by 3 degrees": lambda image: stored(image.rotate(-3).crop((12, 9, 228, 171))),
    "mirror": lambda image: stored(ImageOps.mirror(image)),
    "upside down and cropped": lambda image: stored(ImageOps.flip(image).crop((20, 10, 225, 165))),
    "quarter turn": lambda image: stored(image.transpose(Image.Transpose.ROTATE_90)),
    "darker": lambda image: stored(ImageEnhance.Brightness(image).enhance(0.6)),
    "grey": lambda image: image.convert("L"),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_copy_is_found(how: str) -> None:
    images = [scene(k) for k in range(8)]
    images.append(ALTERED[how](images[3]))
    found = find_duplicates(gather_looks(iter(looked(images)), len(images)))
    assert [(pair.first, pair.second, pair.kind) for pair in found.pairs] == [(3, 8, "near")]
    assert found.groups == ((3, 8),)
    assert found.group_of(9) == [0, 1, 2, 3, 4, 5, 6, 7, 3]


def test_other_pictures_are_no_copies() -> None:
    images = [scene(k) for k in range(40)]
    assert find_duplicates(gather_looks(iter(looked(images)), 40)).pairs == ()


def test_the_same_file_and_the_same_pixels(tmp_path: Path) -> None:
    scene(1).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    scene(1).save(tmp_path / "c.bmp")
    scene(2).save(tmp_path / "d.png")
    paths = sorted(tmp_path.iterdir())
    looks = gather_looks((look_at_file(path) for path in paths), 4)
    found = find_duplicates(looks, paths)
    assert {(pair.first, pair.second): pair.kind for pair in found.pairs} == {
        (0, 1): "file",
        (0, 2): "pixels",
    }
    assert found.groups == ((0, 1, 2),)


def test_flat_pictures_are_not_compared() -> None:
    images = [Image.new("RGB", (30 + k, 30), (100, 100 + k, 100)) for k in range(6)]
    assert find_duplicates(gather_looks(iter(looked(images)), 6)).pairs == ()


def test_a_crowd_of_equal_pictures_is_one_group_and_costs_no_square() -> None:
    base = scene(5)
    images = [base.crop((k % 3, k % 2, 240, 180)) for k in range(100)]
    rows = looked(images)
    # Six different crops: the rest are exact copies by content.
    found = find_duplicates(gather_looks(iter(rows), 100))
    assert len(found.groups) == 1
    assert len(found.groups[0]) == 100
    rng = np.random.default_rng(0)
    noisy = np.stack([np.asarray(base.convert("L").resize((SIDE, SIDE)))] * 400).astype(np.int16)
    thumbs = np.clip(noisy + rng.integers(-3, 4, noisy.shape), 0, 255).astype(np.uint8)
    pairs = find_candidates(thumbs)
    met = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(met) < 400 * 80  # both ways round all pairs are 159,600
    assert len(np.unique(np.concatenate([pairs.first, pairs.second]))) == 400


def test_windows_and_questions_agree() -> None:
    assert _ASKED[0] == (0.0, 1.0, 0.0, 1.0)
    thumbs = np.asarray(scene(2).convert("L").resize((SIDE, SIDE)))[None]
    assert coefficients(thumbs, FINE).shape == (1, 256, 7, 7)


def test_near_copies_can_be_left_out() -> None:
    """Among very many images only the same files count inside `train`."""
    one = scene(1)
    looks = gather_looks(iter(looked([one, stored(one), scene(2)])), 3)
    assert [pair.kind for pair in find_duplicates(looks).pairs] == ["near"]
    assert find_duplicates(looks, near=False).pairs == ()


def conflicts(numbers: list[float] | None, labels: int, meanings: tuple[str, ...]) -> Finding:
    """Return the finding on contradictions of six images, of which the first two are copies."""
    samples = Samples(
        paths=("x",) * 6,
        labels=np.full(6, labels),
        class_names=() if numbers else ("a", "b"),
        meanings=meanings,
        numbers=None if numbers is None else np.array(numbers)[:, None],
    )
    pair = Pair(0, 1, "near", 0.95)
    found = copy_findings(samples, Duplicates((pair,), ((0, 1),)))
    return next(item for item in found if item is not None and item.kind == "label-conflicts")


def test_numbers_of_copies_may_differ_a_little() -> None:
    words = ("21", "21.4", "3", "50", "70", "9")
    assert conflicts([21, 21.4, 3, 50, 70, np.nan], -1, words).count == 0
    found = conflicts([21, 40, 3, 50, 70, np.nan], -1, ("21", "40", "3", "50", "70", "9"))
    assert (found.count, found.severity) == (1, "warning")
    assert found.title == "the same image with different numbers"
    assert found.items[0].note == "the same picture as 21, 40"


def test_labels_of_copies_are_the_same() -> None:
    found = conflicts(None, -1, ("a", "a, b", "a", "b", "b", "b"))
    assert (found.count, found.severity, found.title) == (1, "error", "the same image with different labels")
    assert conflicts(None, -1, ("a", "a", "b", "b", "b", "b")).count == 0
