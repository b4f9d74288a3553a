"""libjpeg-turbo's way and Pillow's way through one file: the same pixels, the same refusals."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from drawn import photo, save
from PIL import Image

from neocog.data import _jpeg, load_image
from neocog.data._image_files import read_file
from neocog.data._images import decode
from neocog.data._look import Look
from neocog.data._resize import resize_pixels
from neocog.exceptions import DataError

pytest.importorskip("simplejpeg")


def noisy(height: int = 90, width: int = 130) -> np.ndarray:
    noise = np.random.RandomState(0).randint(0, 60, (height, width, 3))
    return np.clip(photo(height, width).astype(int) + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def by_pillow(monkeypatch):
    """A function that decodes as a machine without simplejpeg does."""

    def without(path, look):
        with monkeypatch.context() as patch:
            patch.setattr(_jpeg, "_turbo", lambda: None)
            return decode(read_file(path), look)

    return without


def is_fast(path, look):
    return _jpeg.decode_jpeg(str(path), path.read_bytes(), look) is not None


LOOKS = [
    Look(),
    Look((40, 30)),
    Look((20, 64), interpolation="bicubic"),
    Look((33, 33), crop=True),
    Look((33, 70), pad=True),
    Look((30, 30), interpolation="nearest"),
    Look((30, 40), "grayscale"),
    Look((200, 150), "grayscale", "lanczos3"),
]


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"subsampling": 0}),
        ("RGB", {"progressive": True, "quality": 40}),
        ("L", {}),
    ],
    ids=["plain", "444", "progressive", "grey"],
)
def test_both_ways_give_the_same_pixels(tmp_path, by_pillow, look, mode, options):
    path = save(tmp_path / "고양이 'a' \"b\" 1.jpg", noisy(), mode, **options)
    assert is_fast(path, look)
    assert np.array_equal(decode(read_file(path), look), by_pillow(path, look))


@pytest.mark.parametrize("color_mode", ["rgb", "grayscale"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_both_ways_alike(tmp_path, by_pillow, orientation, color_mode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.jpg", noisy(), exif=exif)
    whole = Look(None, color_mode)
    assert is_fast(path, whole)
    assert np.array_equal(decode(read_file(path), whole), by_pillow(path, whole))
    for look in (Look((40, 31), color_mode), Look((25, 25), color_mode, crop=True)):
        assert np.array_equal(decode(read_file(path), look), by_pillow(path, look))


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
def test_what_is_rare_goes_to_pillow(tmp_path, by_pillow, mode):
    options = {"keep_rgb": True} if mode == "RGB" else {}
    path = save(tmp_path / "a.jpg", noisy(), mode, quality=95, **options)
    look = Look((40, 30))
    assert not is_fast(path, look)
    assert np.array_equal(decode(read_file(path), look), by_pillow(path, look))
    assert np.abs(load_image(path).astype(int) - noisy()).mean() < 8


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95, 0.999])
def test_truncated_files_are_refused_alike(tmp_path, by_pillow, part):
    data = save(tmp_path / "a.jpg", noisy(), quality=95).read_bytes()
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: int(len(data) * part)])
    outcomes = []
    for way in (lambda: decode(read_file(path), Look((20, 20))), lambda: by_pillow(path, Look((20, 20)))):
        try:
            outcomes.append(way().tolist())
        except DataError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert part > 0.99 or "truncated" in outcomes[0]


def test_bytes_after_the_end_and_between_do_no_harm(tmp_path, by_pillow):
    data = save(tmp_path / "a.jpg", noisy()).read_bytes()
    path = tmp_path / "b.jpg"
    for text in (data + b"more" * 100, data[:2] + b"\xff" * 7 + data[2:]):
        path.write_bytes(text)
        assert np.array_equal(decode(read_file(path), Look()), by_pillow(path, Look()))


def declared(kind: str, side: int, folder) -> bytes:
    """Return a small file whose header declares `side` × `side` pixels."""
    size = struct.pack(">HH", side, side)
    if kind == "jpg":
        data = bytearray(save(folder / "a.jpg", noisy()).read_bytes())
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = size
        return bytes(data)
    if kind == "gif":
        data = bytearray(save(folder / "a.gif", photo(), "P").read_bytes())
        data[6:10] = struct.pack("<HH", side, side)
        at = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
        data[at + 5 : at + 9] = struct.pack("<HH", side, side)
        return bytes(data)
    if kind == "bmp":
        data = bytearray(save(folder / "a.bmp", photo()).read_bytes())
        data[18:26] = struct.pack("<ii", side, side)
        return bytes(data)
    return b"P6 %d %d 255\n" % (side, side) + bytes(100)


@pytest.mark.parametrize("kind", ["jpg", "gif", "bmp", "ppm"])
def test_fifty_thousand_pixels_a_side_are_refused_before_decoding(tmp_path, by_pillow, kind):
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(declared(kind, 50_000, tmp_path))
    for look in (Look(), Look((20, 20)), Look((20, 20), "grayscale")):
        with pytest.raises(DataError, match="pixels"):
            decode(read_file(path), look)
        with pytest.raises(DataError, match="pixels"):
            by_pillow(path, look)


def test_the_first_frame_of_animations_and_odd_modes_at_a_size(tmp_path):
    frames = [Image.fromarray(photo(60, 80, seed)) for seed in range(3)]
    for suffix in (".gif", ".webp", ".png"):
        path = tmp_path / f"움직임{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        got = load_image(path, size=(30, 40)).astype(int)
        assert np.abs(got - np.asarray(frames[0].resize((40, 30), Image.Resampling.BILINEAR))).mean() < 20
    wide = np.linspace(0, 65535, 60 * 80).reshape(60, 80).astype(np.uint16)
    grey = load_image(save(tmp_path / "w.png", wide), size=(30, 40), color_mode="grayscale")
    assert (grey.shape, grey.dtype) == ((30, 40, 1), np.uint8)
    assert abs(int(grey.mean()) - 127) < 2
    palette = load_image(save(tmp_path / "p.png", photo(60, 80), "P"), size=(30, 40), color_mode="rgba")
    assert palette.shape == (30, 40, 4)


@pytest.mark.parametrize(("interpolation", "most"), [("bilinear", 2), ("bicubic", 0), ("lanczos3", 0)])
def test_resizing_is_pillows_to_one_level(interpolation, most):
    draw = np.random.RandomState(0)
    filter_ = Image.Resampling[interpolation.upper().rstrip("3")]
    for _ in range(60):
        height, width, to_height, to_width = draw.randint(2, 90, 4)
        pixels = draw.randint(0, 256, (height, width, 3), np.uint8)
        got = resize_pixels(pixels, Look((int(to_height), int(to_width)), interpolation=interpolation))
        wanted = np.asarray(Image.fromarray(pixels).resize((to_width, to_height), filter_))
        assert np.abs(got.astype(int) - wanted).max() <= most
        assert np.abs(got.astype(int) - wanted).mean() <= 0.5
