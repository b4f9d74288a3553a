"""`load_image` on every mode, rotation and fault; Keras's image helpers against Keras."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import torch
from drawn import photo, save
from PIL import Image

from neocog.data import array_to_img, check_image, img_to_array, load_image, load_img, save_img, smart_resize
from neocog.exceptions import ArgumentError, DataError

LOSSLESS = [("a.png", {}), ("a.bmp", {}), ("a.tif", {}), ("a.webp", {"lossless": True}), ("a.ppm", {})]


def near(left: np.ndarray, right: np.ndarray, within: float) -> bool:
    return left.shape == right.shape and np.abs(left.astype(int) - right.astype(int)).mean() <= within


def test_the_comparison_can_fail():
    assert not near(photo(seed=0), photo(seed=3), 2)
    assert not near(photo(), photo()[:, ::-1], 2)


@pytest.mark.parametrize(("name", "options"), LOSSLESS)
def test_lossless_formats_come_back_exactly(tmp_path, name, options):
    array = load_image(save(tmp_path / name, **options))
    assert array.dtype == np.uint8
    assert np.array_equal(array, photo())
    assert array.flags.writeable
    assert array.flags.c_contiguous


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.jpg", None),
        ("cmyk.jpg", "CMYK"),
        ("cmyk.tif", "CMYK"),
        ("palette.png", "P"),
        ("palette.gif", "P"),
        ("ycbcr.tif", "YCbCr"),
        ("rgba.png", "RGBA"),
        ("rgbx.tif", "RGBX"),
    ],
)
def test_colour_modes_come_as_rgb(tmp_path, name, mode):
    path = save(tmp_path / name, mode=mode)
    within = 20 if mode == "P" else 4  # 256 colours of a web palette are coarse
    assert near(load_image(path), photo(), within)
    assert load_image(path, color_mode="rgba").shape == (24, 36, 4)
    grey = np.array(Image.fromarray(photo()).convert("L"))[:, :, None]
    assert near(load_image(path, color_mode="grayscale"), grey, within)


def test_grey_modes(tmp_path):
    grey = np.array(Image.fromarray(photo()).convert("L"))
    for name, mode in (("l.png", "L"), ("l.jpg", "L"), ("la.png", "LA"), ("l.pgm", "L")):
        array = load_image(save(tmp_path / name, mode=mode))
        assert near(array, np.stack([grey] * 3, -1), 2)
        assert load_image(tmp_path / name, color_mode="grayscale").shape == (24, 36, 1)
    one = load_image(save(tmp_path / "one.png", mode="1"))
    assert set(np.unique(one)) == {0, 255}


def test_sixteen_bits_are_scaled(tmp_path):
    wide = np.linspace(0, 65535, 24 * 36).reshape(24, 36).astype(np.uint16)
    expected = np.rint(wide / 257).astype(np.uint8)
    for name in ("w.png", "w.tif"):
        array = load_image(save(tmp_path / name, wide), color_mode="grayscale")
        assert np.array_equal(array[:, :, 0], expected)
        assert load_image(tmp_path / name).shape == (24, 36, 3)
    Image.fromarray(wide.astype(">u2").view("u1").reshape(24, 72)).save(tmp_path / "x.png")  # raw bytes only
    big = Image.frombytes("I;16B", (36, 24), wide.astype(">u2").tobytes())
    big.save(tmp_path / "big.tif")
    assert np.array_equal(load_image(tmp_path / "big.tif", color_mode="grayscale")[:, :, 0], expected)
    ints = save(tmp_path / "i.tif", wide.astype(np.int32))
    assert np.array_equal(load_image(ints, color_mode="grayscale")[:, :, 0], expected)


def test_float_images(tmp_path):
    unit = np.linspace(0, 1, 48).reshape(6, 8).astype(np.float32)
    array = load_image(save(tmp_path / "f.tif", unit), color_mode="grayscale")
    assert np.array_equal(array[:, :, 0], np.rint(unit * 255))
    assert load_image(save(tmp_path / "g.tif", unit * 200), color_mode="grayscale").max() == 200
    signed = load_image(save(tmp_path / "s.tif", unit - 0.5), color_mode="grayscale")
    assert (signed.min(), signed.max()) == (0, 255)
    unit[0, 0] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        load_image(save(tmp_path / "n.tif", unit))


def test_transparency_is_laid_on_white(tmp_path):
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    rgba[0, 1] = (0, 0, 0, 128)
    path = save(tmp_path / "t.png", rgba)
    array = load_image(path)
    assert array[0, 0].tolist() == [10, 20, 30]
    assert abs(int(array[0, 1, 0]) - 127) <= 1
    assert array[1, 2].tolist() == [255] * 3
    assert np.array_equal(load_image(path, color_mode="rgba"), rgba)
    assert load_image(path, color_mode="grayscale")[1, 2, 0] == 255
    palette = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    palette.putpalette([0, 0, 0, 200, 10, 10] + [0] * 762)
    palette.save(tmp_path / "p.png", transparency=0)
    palette.save(tmp_path / "p.gif", transparency=0)
    palette.save(tmp_path / "b.png", transparency=bytes([0, 255]))
    for name in ("p.png", "p.gif", "b.png"):
        assert load_image(tmp_path / name)[0, 0].tolist() == [255] * 3
        assert load_image(tmp_path / name)[0, 1].tolist() == [200, 10, 10]
    Image.fromarray(np.array([[7, 9]], np.uint8)).save(tmp_path / "l.png", transparency=7)
    assert load_image(tmp_path / "l.png")[0, :, 0].tolist() == [255, 9]
    Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)).save(
        tmp_path / "r.png", transparency=(1, 2, 3)
    )
    assert load_image(tmp_path / "r.png")[0].tolist() == [[255] * 3, [4, 5, 6]]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path, suffix):
    frames = [Image.fromarray(np.full((6, 8, 3), value, np.uint8)) for value in (255, 0, 90)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    assert load_image(tmp_path / f"a{suffix}").min() > 250


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpose that the camera did
    image = Image.fromarray(photo(20, 40))
    stored = image.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else image
    stored.save(tmp_path / f"a{suffix}", exif=exif, **({"lossless": True} if suffix == ".webp" else {}))
    assert near(load_image(tmp_path / f"a{suffix}"), photo(20, 40), 3)
    assert load_image(tmp_path / f"a{suffix}", size=(5, 10)).shape == (5, 10, 3)


def test_damaged_exif_is_ignored(tmp_path):
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff\x12\x01\x03"
    path = save(tmp_path / "a.jpg", exif=exif)
    assert near(load_image(path), photo(), 4)


def test_resizing_crop_and_padding(tmp_path):
    path = save(tmp_path / "a.png", photo(40, 20))
    assert load_image(path, size=7).shape == (7, 7, 3)
    plain = np.array(Image.fromarray(photo(40, 20)).resize((9, 6), Image.Resampling.BILINEAR))
    assert np.array_equal(load_image(path, size=(6, 9)), plain)
    middle = np.array(Image.fromarray(photo(40, 20)[10:30]).resize((10, 10), Image.Resampling.BILINEAR))
    assert near(load_image(path, size=(10, 10), crop_to_aspect_ratio=True), middle, 1)
    padded = load_image(path, size=(10, 10), pad_to_aspect_ratio=True)
    assert padded[:, :2].max() == 0
    assert padded[:, -3:].max() == 0
    assert padded[5, 5].max() > 0
    for name in (
        "nearest",
        "bicubic",
        "area",
        "lanczos3",
        "lanczos5",
        "gaussian",
        "mitchellcubic",
        "hamming",
    ):
        assert near(load_image(path, size=(20, 10), interpolation=name), photo(20, 10), 8)
    same = load_image(path, size=(40, 20), crop_to_aspect_ratio=True)
    assert np.array_equal(same, photo(40, 20))


def test_a_shrinking_jpeg_is_drafted_and_stays_close(tmp_path):
    path = save(tmp_path / "big.jpg", photo(480, 640), quality=95)
    exact = np.array(Image.open(path).resize((80, 60), Image.Resampling.BILINEAR))
    assert near(load_image(path, size=(60, 80)), exact, 2)
    assert near(
        load_image(path, size=(60, 80), color_mode="grayscale"),
        np.array(Image.fromarray(exact).convert("L"))[:, :, None],
        2,
    )
    cut = load_image(path, size=(60, 60), crop_to_aspect_ratio=True)
    assert near(cut, exact[:, 10:70], 2)


def faults(folder):
    whole = save(folder / "whole.jpg", photo(200, 200)).read_bytes()
    png = save(folder / "whole.png", photo(200, 200)).read_bytes()
    noise = np.random.RandomState(0).randint(0, 255, (64, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "GIF")
    return {
        "empty.jpg": (b"", r"an empty file \(0 bytes\)"),
        "cut.jpg": (whole[: len(whole) // 2], "truncated"),
        "cut.png": (png[: len(png) // 2], "truncated"),
        "cut.gif": (buffer.getvalue()[:900], "truncated|damaged"),
        "head.jpg": (whole[:12], "truncated"),
        "text.jpg": (b"not an image", "a text file"),
        "page.png": (b"<!DOCTYPE html><html>", "a web page"),
        "paper.jpg": (b"%PDF-1.7 \x80", "a PDF"),
        "phone.jpg": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "HEIC"),
        "noise.bmp": (bytes(range(1, 200)), "no image|text"),
        "crc.png": (png[:50] + b"\x00\x00\x00\x00" + png[54:], "damaged|truncated"),
    }


def test_every_fault_names_file_and_reason(tmp_path):
    for name, (data, reason) in faults(tmp_path).items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(DataError, match=reason) as caught:
            load_image(path)
        assert name in str(caught.value)
        assert check_image(path, decode=True)
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with pytest.raises(DataError, match=r"cannot be opened \(too many levels of symbolic links\)\.$"):
        load_image(tmp_path / "loop.jpg")
    with pytest.raises(DataError, match="no such file"):
        load_image(tmp_path / "none.jpg")
    with pytest.raises(DataError, match="a folder"):
        load_image(tmp_path)
    assert check_image(tmp_path / "whole.jpg", decode=True) is None


def test_other_readers_of_pillow_stay_shut(tmp_path):
    path = tmp_path / "a.eps"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    with pytest.raises(DataError, match="expected a whole image"):
        load_image(path)
    Image.fromarray(photo()).save(tmp_path / "b.ico")
    with pytest.raises(DataError):
        load_image(tmp_path / "b.ico")


def test_the_content_decides_not_the_suffix(tmp_path):
    save(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert np.array_equal(load_image(tmp_path / "a.jpg"), photo())


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (13_400, 40_000):  # above Pillow's warning, above Pillow's error
        head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        (tmp_path / "bomb.png").write_bytes(data)
        with pytest.raises(DataError, match="pixels"):
            load_image(tmp_path / "bomb.png")


def test_pillow_warnings_stay_inside_also_in_threads(tmp_path):
    before = list(warnings.filters)
    paths = [
        save(tmp_path / f"{i}.jpg", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff") for i in range(20)
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load_image, paths))
    assert warnings.filters == before


def test_bad_arguments(tmp_path):
    path = save(tmp_path / "a.png")
    with pytest.raises(ArgumentError, match="color_mode"):
        load_image(path, color_mode="bgr")
    with pytest.raises(ArgumentError, match="interpolation"):
        load_image(path, interpolation="cubic")
    with pytest.raises(ArgumentError, match="size"):
        load_image(path, size=(0, 5))


@pytest.mark.parametrize("color_mode", ["rgb", "grayscale", "rgba"])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "lanczos"])
def test_load_img_is_keras(tmp_path, color_mode, keep, interpolation):
    for name, mode in (("a.png", None), ("b.png", "RGBA"), ("c.png", "L"), ("d.gif", "P"), ("e.jpg", "CMYK")):
        path = save(tmp_path / name, mode=mode)
        arguments = {"color_mode": color_mode, "interpolation": interpolation, "keep_aspect_ratio": keep}
        for size in (None, (10, 20), (24, 36)):
            ours = load_img(path, target_size=size, **arguments)
            oracle = keras.utils.load_img(path, target_size=size, **arguments)
            assert ours.mode == oracle.mode
            assert np.array_equal(np.asarray(ours), np.asarray(oracle))
    data = io.BytesIO((tmp_path / "a.png").read_bytes())
    assert load_img(data).size == (36, 24)
    with pytest.raises(DataError, match="bytes of an image"):
        load_img(io.BytesIO(b"nothing"))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_arrays_and_images_are_keras(tmp_path, data_format):
    for channels in (1, 3, 4):
        x = np.random.RandomState(1).rand(5, 7, channels).astype("float32") * 40
        x = x if data_format == "channels_last" else x.transpose(2, 0, 1)
        for scale in (True, False):
            ours = array_to_img(x, data_format, scale)
            oracle = keras.utils.array_to_img(x, data_format, scale)
            assert ours.mode == oracle.mode
            assert np.array_equal(np.asarray(ours), np.asarray(oracle))
            back, expected = img_to_array(ours, data_format), keras.utils.img_to_array(oracle, data_format)
            assert back.dtype == expected.dtype
            assert np.array_equal(back, expected)
        save_img(tmp_path / "a.png", x, data_format)
        assert load_image(tmp_path / "a.png").shape == (5, 7, 3)
    with pytest.raises(ArgumentError, match="3 axes"):
        array_to_img(np.zeros((2, 2)))
    with pytest.raises(ArgumentError, match="channels"):
        array_to_img(np.zeros((2, 2, 2)))


def test_save_img_to_jpeg(tmp_path):
    save_img(str(tmp_path / "a.jpg"), photo(), scale=False)
    assert near(load_image(tmp_path / "a.jpg"), photo(), 4)
    with pytest.warns(UserWarning, match="no transparency"):
        save_img(tmp_path / "b.jpg", np.zeros((4, 4, 4)))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("size", [(20, 20), (50, 31), (24, 36), (3, 90)])
def test_smart_resize_is_keras(interpolation, size):
    for x in (photo(), photo().astype("float32") / 3, np.stack([photo()] * 2)):
        ours = smart_resize(x, size, interpolation)
        oracle = np.asarray(keras.preprocessing.image.smart_resize(x, size, interpolation))
        assert ours.dtype == oracle.dtype
        assert np.allclose(ours, oracle, atol=1e-3)
    first = smart_resize(torch.tensor(photo().transpose(2, 0, 1)), size, interpolation, "channels_first")
    last = smart_resize(photo(), size, interpolation)
    assert np.array_equal(first.permute(1, 2, 0).numpy(), last)


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
@pytest.mark.parametrize("shape", [(2, 900), (900, 2), (1, 500)])
def test_a_thin_jpeg_is_decoded_small(tmp_path, mode, shape):
    Image.new(mode, shape, 0).save(tmp_path / "thin.jpg")
    for color_mode in ("rgb", "rgba"):
        array = load_image(tmp_path / "thin.jpg", size=64, pad_to_aspect_ratio=True, color_mode=color_mode)
        assert array.shape[:2] == (64, 64)
