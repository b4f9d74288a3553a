"""Patterns on file names: which group an image belongs to, which label its name tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from neocog.data._scan import ImageFile
from neocog.exceptions import ArgumentError, DataError, message

_FIELD = re.compile(r"\\\{(\w+)\\\}|\\\*|\\\?")
_NUMBERS = ("n", "number", "i", "index", "#")


def group_pattern(group_by: str | None, columns: Sequence[str] = ()) -> Callable[[str], str | None] | None:
    """Return a function from a path to its group, or None where `group_by` names a column.

    Raises:
        ArgumentError: neither a column nor a pattern that can be read.
    """
    if group_by is None or group_by in columns:
        return None
    if columns and not re.search(r"[{(*\\]", group_by):
        return None  # a column that is not there: the caller says so
    found = compile_pattern(group_by, "group", "--group-by")

    def group(path: str) -> str | None:
        return found(path)

    return group


def group_files(
    files: Sequence[ImageFile], pattern: Callable[[str], str | None], group_by: str
) -> list[ImageFile]:
    """Return the files with the groups that their paths tell.

    Raises:
        DataError: the pattern fits no path, so that nothing would be grouped.
    """
    grouped = [replace(file, group=pattern(file.path)) for file in files]
    if all(file.group is None for file in grouped):
        got = f"{grouped[0].path!r} and others"
        raise DataError(message("--group-by", expected=f"paths that fit {group_by}", got=got))
    return grouped


def compile_pattern(pattern: str, field: str, option: str) -> Callable[[str], str | None]:
    """Return a function from a path (with `/`) to the text of `field` in it, None where it does not fit.

    A template fits the whole file name, or the whole path where it holds `/`: `{label}` is any text, `{n}` a
    number, every other `{word}` and `*` any text. Without a suffix it fits names of any suffix. A regular
    expression is searched for in the path; it has a group of the field's name, or one group in all.

    Args:
        pattern: template or regular expression.
        field: the word that is wanted.
        option: for error texts.

    Raises:
        ArgumentError: neither of both, or without the field.

    Example:
        >>> compile_pattern("{label}.{n}.jpg", "label", "--pattern")("photos/cat.12.jpg")
        'cat'
        >>> compile_pattern(r"^(p\\d+)_", "group", "--group-by")("p12_left.png")
        'p12'
    """
    if f"{{{field}}}" in pattern:
        return _template(pattern, field)
    try:
        found = re.compile(pattern)
    except re.error as error:
        got = f"{pattern!r} ({error})"
        raise ArgumentError(message(option, expected=_expected(field), got=got)) from error
    if field not in found.groupindex and found.groups != 1:
        raise ArgumentError(message(option, expected=_expected(field), got=repr(pattern)))
    wanted: str | int = field if field in found.groupindex else 1

    def search(path: str) -> str | None:
        hit = found.search(path)
        return (hit[wanted] or None) if hit is not None else None

    return search


def _expected(field: str) -> str:
    return (
        f"a template with {{{field}}}, such as {{{field}}}_{{n}}.jpg, or a regular expression with one group"
    )


def _template(pattern: str, field: str) -> Callable[[str], str | None]:
    seen: set[str] = set()

    def replaced(hit: re.Match[str]) -> str:
        name = hit[1]
        if name is None:
            return r"[^/]*?" if hit[0] == r"\*" else "[^/]"
        if name in seen:
            return f"(?P={name})" if name == field else ".*?"
        seen.add(name)
        if name == field:
            return f"(?P<{name}>[^/]+?)"
        return r"\d+" if name.lower() in _NUMBERS else r"[^/]+?"

    found = re.compile(_FIELD.sub(replaced, re.escape(pattern)))
    whole = "/" in pattern
    any_suffix = not re.search(r"\.[A-Za-z]\w*$|\.\*$", pattern)

    def fit(path: str) -> str | None:
        text = path if whole else PurePosixPath(path).name
        hit = found.fullmatch(text)
        if hit is None and any_suffix:
            hit = found.fullmatch(text.rpartition(".")[0])
        return hit[field].strip() or None if hit is not None else None

    return fit
