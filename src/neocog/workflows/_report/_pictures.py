"""Pictures in the report."""

from __future__ import annotations

import base64
import io

from neocog.workflows._data import Images, Part
from neocog.workflows._report._html import Markup, el

MOST_MISTAKES = 24
_TINY = 64  # images up to this many pixels a side are shown with hard pixels


def picture_item(part: Part, index: int, alt: str, words: Markup) -> Markup:
    """Return one image of a list, words and its name below it."""
    picture = part.picture(index)
    tiny = "tiny" if max(picture.shape[:2]) <= _TINY else None
    return el(
        "li",
        el("img", src=data_uri(picture), alt=alt, class_=tiny, loading="lazy"),
        el("p", words, el("small", part.ids[index])),
    )


def data_uri(pixels: Images) -> str:
    """Return an image as a `data:` address: PNG for small ones, JPEG for photographs."""
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    kind = "PNG" if max(pixels.shape[:2]) <= _TINY else "JPEG"
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=82)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
