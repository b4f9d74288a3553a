"""HTML by construction: text is escaped unless it was built here, so that no file name can become markup."""

from __future__ import annotations

from html import escape

_VOID = ("img", "meta", "br", "line", "polyline", "circle", "rect")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Return a value as escaped text; bytes of a file name that are no Unicode become question marks."""
    if isinstance(value, Markup):
        return value
    plain = str(value).encode("utf-8", "replace").decode()
    return Markup(escape("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in plain), quote=True))


def join(*parts: object) -> Markup:
    """Return parts one after another, each escaped unless it is markup."""
    return Markup("".join(text(part) for part in parts))


def el(tag: str, /, *children: object, **attributes: object) -> Markup:
    """Return an element.

    A trailing `_` of an attribute's name is dropped, other `_` become `-`; None leaves the attribute out.

    Example:
        >>> el("p", "a < b", class_="note")
        '<p class="note">a &lt; b</p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>" if tag in ("img", "meta", "br") else f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")
