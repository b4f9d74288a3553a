"""Pictures as images (Pillow) and as SVG text."""

from __future__ import annotations

import html
import io
import math
from functools import lru_cache
from typing import Any

from neocog.models._diagram._picture import Arrow, Picture, Rectangle, Words

_MAX_PIXELS = 60_000_000
_FINE_PIXELS = 12_000_000  # below it lines are drawn at twice the size, and smoothed
_LINE, _HEAD = 1.2, 6.0
_COLORS = {"forestgreen": "#228b22", "firebrick": "#b22222", "black": "#000000", "white": "#ffffff"}


def measure(text: str, size: float, bold: bool) -> float:
    """Return the width of a text in points."""
    return float(_font(64, bold).getlength(text)) * size / 64


@lru_cache(maxsize=32)
def _font(pixels: int, bold: bool) -> Any:
    """A font that every installation of matplotlib carries."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}", pixels)


def image_bytes(picture: Picture, kind: str, dpi: float) -> bytes:
    """Return the file of an image.

    Args:
        picture: what to draw.
        kind: Pillow's name of a format: "PNG", "JPEG", "PDF", …
        dpi: pixels an inch; fewer where the image would pass 60 million pixels.
    """
    area = picture.width * picture.height
    scale = min(dpi / 72, math.sqrt(_MAX_PIXELS / area))
    image = _drawn(picture, scale)
    stream = io.BytesIO()
    options: dict[str, Any] = {"resolution": scale * 72} if kind == "PDF" else {"dpi": (scale * 72,) * 2}
    image.save(stream, kind, **options)
    return stream.getvalue()


def _drawn(picture: Picture, scale: float) -> Any:
    from PIL import Image, ImageDraw

    fine = 2 if picture.width * picture.height * scale**2 < _FINE_PIXELS else 1
    scale *= fine
    size = math.ceil(picture.width * scale), math.ceil(picture.height * scale)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for part in picture.parts:
        if isinstance(part, Rectangle):
            _draw_rectangle(draw, part, scale)
        elif isinstance(part, Words):
            for text, bold, at in part.pieces:
                place = ((part.x + at) * scale, part.y * scale)
                font = _font(max(round(part.size * scale), 1), bold)
                draw.text(place, text, fill=_COLORS[part.color], font=font, anchor="lm")
        else:
            points, head = _arrow(part)
            thick = max(round(_LINE * scale), 1)
            draw.line([(x * scale, y * scale) for x, y in points], fill="black", width=thick, joint="curve")
            draw.polygon([(x * scale, y * scale) for x, y in head], fill="black")
    return image.reduce(fine) if fine > 1 else image


def _draw_rectangle(draw: Any, part: Rectangle, scale: float) -> None:
    left, top = part.x * scale, part.y * scale
    right, bottom = left + part.width * scale, top + part.height * scale
    thick = max(round(_LINE * scale * 0.7), 1)
    if not part.dashed:
        draw.rectangle(
            (left, top, right, bottom), fill=_COLORS[part.fill or "white"], outline="black", width=thick
        )
        return
    dash = 5 * scale
    for first, last in (
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
    ):
        count = max(int(math.dist(first, last) / dash) // 2, 1)
        for step in range(count):
            ends = [step / count, (step + 0.5) / count]
            at = [(first[0] + (last[0] - first[0]) * t, first[1] + (last[1] - first[1]) * t) for t in ends]
            draw.line(at, fill="black", width=thick)


def _arrow(part: Arrow) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Return the line up to its head, and the head's three corners."""
    points = list(part.points)
    (ax, ay), (bx, by) = points[-2], points[-1]
    length = math.dist((ax, ay), (bx, by)) or 1.0
    ux, uy = (bx - ax) / length, (by - ay) / length
    base = (bx - ux * _HEAD, by - uy * _HEAD)
    side = (-uy * _HEAD * 0.45, ux * _HEAD * 0.45)
    head = [(bx, by), (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1])]
    return [*points[:-1], base], head


def svg_text(picture: Picture, dpi: float = 72) -> str:
    """Return an SVG document; its sizes are in points, scaled by `dpi`."""
    width, height = (f"{side * dpi / 72:.0f}" for side in (picture.width, picture.height))
    box = f"0 0 {picture.width:.1f} {picture.height:.1f}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="{box}" '
        'font-family="DejaVu Sans, Verdana, sans-serif">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for part in picture.parts:
        if isinstance(part, Rectangle):
            fill = "none" if part.dashed else _COLORS[part.fill or "white"]
            dash = ' stroke-dasharray="5 4"' if part.dashed else ""
            place = f'x="{part.x:.1f}" y="{part.y:.1f}" width="{part.width:.1f}" height="{part.height:.1f}"'
            lines.append(f'<rect {place} fill="{fill}" stroke="black"{dash}/>')
        elif isinstance(part, Words):
            lines += [_svg_word(part, *piece) for piece in part.pieces]
        else:
            points, head = _arrow(part)
            lines.append(f'<polyline points="{_svg_points(points)}" fill="none" stroke="black"/>')
            lines.append(f'<polygon points="{_svg_points(head)}"/>')
    return "\n".join([*lines, "</svg>\n"])


def _svg_word(part: Words, text: str, bold: bool, at: float) -> str:
    weight = ' font-weight="bold"' if bold else ""
    length = measure(text, part.size, bold)
    place = f'x="{part.x + at:.1f}" y="{part.y:.1f}" textLength="{length:.1f}"'
    look = f'font-size="{part.size:g}" fill="{_COLORS[part.color]}" dominant-baseline="central"'
    return f'<text {place} {look}{weight} xml:space="preserve">{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    """Return text for XML, without the characters that it cannot hold."""
    return html.escape("".join(letter if letter.isprintable() else "�" for letter in text))


def _svg_points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
