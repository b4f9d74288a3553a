"""A sheet of pictures: rows of images with a name at the left of each and a title above each column."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neocog.core import atomic_path

_INK, _SOFT, _PAPER, _EDGE = "#1d2530", "#5d6878", "#ffffff", "#d6dbe2"
_MARGIN, _GAP, _LEAST_CELL, _MOST_CELL = 24, 8, 96, 192
_TEXT, _NAME_WIDTH, _LINES = 14, 190, 3
_SOFTWARE = "neocog augment"
_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
_WIDE_FONTS = ("nanum", "notosanscjk", "notosanskr", "malgun", "applesdgothic", "unifont", "arialuni",
               "sourcehan", "wqy", "droidsansfallback", "baekmuk", "un", "gulim", "batang")  # fmt: skip


def draw_sheet(
    path: Path, title: str, names: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Write a sheet as PNG: whole, or not at all.

    Args:
        path: the file.
        title: above everything.
        names: of the rows; what no font of this machine can draw is left out behind the row's number.
        columns: titles of the columns.
        rows: images, uint8 (H, W, C) of one size.
    """
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    height, width = _cell_size(*rows[0][0].shape[:2])
    text, bold = _font(_TEXT), _font(_TEXT + 4, bold=True)
    wide = _wide_font(names)
    left, top = _MARGIN + _NAME_WIDTH + _GAP, _MARGIN + 64
    size = (
        left + len(columns) * (width + _GAP) - _GAP + _MARGIN,
        top + len(rows) * (height + _GAP) - _GAP + _MARGIN,
    )
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - 6), _fitted(title, bold, size[0] - 2 * _MARGIN), font=bold, fill=_INK)
    for number, column in enumerate(columns):
        x = left + number * (width + _GAP)
        draw.text((x, top - 22), _fitted(column, text, width), font=text, fill=_SOFT)
    for line, (name, images) in enumerate(zip(names, rows, strict=True)):
        y = top + line * (height + _GAP)
        font = text if _can_draw(text, name) else wide
        shown = name if font is not None and _can_draw(font, name) else _drawable(name, text, line)
        _draw_name(draw, (_MARGIN, y), shown, font or text)
        for number, image in enumerate(images):
            x = left + number * (width + _GAP)
            sheet.paste(_picture(image, height, width), (x, y))
            draw.rectangle((x - 1, y - 1, x + width, y + height), outline=_EDGE)
    info = PngInfo()
    info.add_text("Software", _SOFTWARE)
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="PNG", pnginfo=info)


def is_sheet(path: Path) -> bool:
    """Return whether a file is a sheet that this module wrote."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return bool(image.info.get("Software") == _SOFTWARE)
    except (OSError, ValueError, SyntaxError):
        return False


def _cell_size(height: int, width: int) -> tuple[int, int]:
    """Return the size at which images are shown: small ones by whole factors, large ones shrunk."""
    longest = max(height, width)
    if longest < _LEAST_CELL:
        factor = -(-_LEAST_CELL // longest)
        return height * factor, width * factor
    shrink = min(1.0, _MOST_CELL / longest)
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def _picture(image: Any, height: int, width: int) -> Any:
    from PIL import Image

    pixels = np.asarray(image)
    found = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
    enlarged = height > pixels.shape[0]
    return found.resize((width, height), Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS)


# --- names --------------------------------------------------------------------------------------------------


def _draw_name(draw: Any, at: tuple[int, int], name: str, font: Any) -> None:
    """Draw a name in up to three lines: the folders small, the file's name below."""
    folder, _, file = name.rpartition("/")
    x, y = at
    if folder:
        draw.text((x, y), _fitted(folder + "/", font, _NAME_WIDTH), font=font, fill=_SOFT)
        y += _TEXT + 6
    for line in _wrapped(file, font, _NAME_WIDTH, _LINES - bool(folder)):
        draw.text((x, y), line, font=font, fill=_INK)
        y += _TEXT + 6


def _wrapped(text: str, font: Any, width: int, most: int) -> list[str]:
    lines: list[str] = []
    while text and len(lines) < most - 1 and font.getlength(text) > width:
        cut = next(n for n in range(len(text), 0, -1) if n == 1 or font.getlength(text[:n]) <= width)
        lines.append(text[:cut])
        text = text[cut:]
    return [*lines, _fitted(text, font, width)]


def _fitted(text: str, font: Any, width: int) -> str:
    """Return a text that fits, its middle left out where it is too long."""
    if font.getlength(text) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        shorter = f"{text[: kept // 2]}…{text[-(kept - kept // 2) :]}"
        if font.getlength(shorter) <= width:
            return shorter
    return "…"


def _drawable(name: str, font: Any, line: int) -> str:
    """Return a name without what the font lacks; the row's number tells it apart."""
    kept = "".join(c if _can_draw(font, c) else "\0" for c in name)
    while "\0\0" in kept:
        kept = kept.replace("\0\0", "\0")
    return f"{line + 1}: {kept.replace(chr(0), '…')}"


def _can_draw(font: Any, text: str) -> bool:
    missing = bytes(font.getmask("\U0010ffff"))  # what stands for characters that a font lacks
    drawn = (c for c in set(text) if c != " ")
    return all(c.isprintable() and _is_plain(c) and bytes(font.getmask(c)) != missing for c in drawn)


def _is_plain(character: str) -> bool:
    return unicodedata.category(character) not in ("Cs", "Co", "Cn", "Cc")


def _font(pixels: int, *, bold: bool = False) -> Any:
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}", pixels)


def _wide_font(names: Sequence[str]) -> Any:
    """Return a font of this machine that draws names beyond Latin, Greek and Cyrillic, or None."""
    from PIL import ImageFont

    plain = _font(_TEXT)
    wanted = "".join(name for name in names if not _can_draw(plain, name))
    if not wanted:
        return None
    for folder in _FONT_FOLDERS:
        for where, _, files in os.walk(Path(folder).expanduser()):
            for file in sorted(files):
                known = file.lower().replace("-", "").replace("_", "").startswith(_WIDE_FONTS)
                if not known or not file.lower().endswith((".ttf", ".ttc", ".otf")):
                    continue
                try:
                    font = ImageFont.truetype(os.path.join(where, file), _TEXT)
                except OSError:
                    continue
                if _can_draw(font, "".join(c for c in wanted if c.isprintable() and _is_plain(c))):
                    return font
    return None
