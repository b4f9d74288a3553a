"""Arrays of lists of whole numbers, as NumPy and Keras's data sets store them: streams in pickle's format.

Such a stream is a small program, and Python's own reader lets it call anything. The reader here knows the
few instructions that lists, tuples, dicts, numbers, text and NumPy arrays are written with; it calls nothing,
and the names that NumPy writes into its streams are words to it. Everything else is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from neocog.exceptions import FileFormatError, message

# The word of each name that may stand in a stream, in the spellings of NumPy 1 and 2.
_WORDS = {
    **{f"numpy.{core}.multiarray _reconstruct": "array" for core in ("core", "_core")},
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",
}
_TYPES = {"O", "O8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "b1"}


_RUN = re.compile(rb"(?:K[\s\S]|M[\s\S]{2}|J[\s\S]{4})++")  # BININT1, BININT2, BININT
_NUMBER = re.compile(rb"K[\s\S]|M[\s\S]{2}|J[\s\S]{4}")


class _Numbers(dict[bytes, int]):
    """Numbers by the instructions that write them."""

    def __missing__(self, code: bytes) -> int:
        number = int.from_bytes(code[1:], "little", signed=code[0] == 0x4A)
        if len(self) < 200_000:
            self[code] = number
        return number


class _Word:
    """A name that NumPy writes; it stands for what the reader does, and is never called."""

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


class _Building:
    """An array or type whose state comes later in the stream."""

    def __init__(self, meaning: str, type_name: str = "") -> None:
        self.meaning = meaning
        self.type_name = type_name
        self.value: Any = None


def read_plain(data: bytes, where: str) -> Any:
    """Return what a stream describes: numbers, text, bytes, lists, tuples, dicts and NumPy arrays of them.

    Args:
        data: the stream, protocol 2 to 5.
        where: the file, for errors.

    Raises:
        FileFormatError: anything else is in it, or it is damaged. Nothing of it has run.

    Example:
        >>> read_plain(b"\\x80\\x02]q\\x00(K\\x01M\\x00\\x02e.", "example")
        [1, 512]
    """
    try:
        return _Reader(data, where).run()
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        text = f"a damaged stream ({type(error).__name__})"
        raise FileFormatError(message(where, expected="arrays of whole numbers", got=text)) from error


class _Reader:
    """Reads one stream: a stack of values, where marks stand on it, and values kept under numbers."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data = data
        self.where = where
        self.at = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.kept: dict[int, Any] = {}
        self.numbers = _Numbers()

    def run(self) -> Any:
        """Return the value that the stream ends with."""
        while True:
            run = _RUN.match(self.data, self.at)
            if run is not None:
                self.at = run.end()
                # The time of reading IMDB goes to this line: 12 million words, few of them different.
                self.stack.extend(map(self.numbers.__getitem__, _NUMBER.findall(run[0])))
            code = self.data[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                return self.finished(self.stack.pop())
            action = _ACTIONS.get(code)
            if action is None:
                self.refuse(f"instruction {code:#04x} at byte {self.at - 1}")
            action(self)

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise IndexError
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def skip(self, count: int) -> None:
        """Leave bytes out: those that only help other readers."""
        self.take(count)

    def drop(self) -> None:
        """Take the last value off the stack."""
        self.stack.pop()

    def number(self, size: int, signed: bool = False) -> int:
        """Return the next little-endian number."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def line(self) -> str:
        """Return the text up to the next line end."""
        end = self.data.index(b"\n", self.at)
        if end - self.at > 100:
            raise ValueError
        text = self.take(end - self.at).decode("ascii")
        self.at += 1
        return text

    def since_mark(self) -> list[Any]:
        """Take everything off the stack that came after the last mark."""
        place = self.marks.pop()
        items = self.stack[place:]
        if place > len(self.stack):
            raise IndexError
        del self.stack[place:]
        return items

    def name(self, module: str, name: str) -> None:
        """Put the word for a name on the stack."""
        meaning = _WORDS.get(f"{module} {name}")
        if meaning is None:
            self.refuse(f"{ascii(module)[1:-1]}.{ascii(name)[1:-1]}"[:120])
        self.stack.append(_Word(meaning))

    def reduce(self) -> None:
        """Begin the array or type that a word and its arguments describe."""
        arguments, word = self.stack.pop(), self.stack.pop()
        if not isinstance(word, _Word) or not isinstance(arguments, tuple):
            self.refuse("a call")
        if word.meaning == "array":
            self.stack.append(_Building("array"))
        elif word.meaning == "dtype" and _text(arguments[0]).lstrip("<|") in _TYPES:
            self.stack.append(_Building("dtype", _text(arguments[0]).lstrip("<|")))
        elif word.meaning == "encode" and isinstance(arguments[0], str):
            self.stack.append(arguments[0].encode("latin-1"))
        else:
            self.refuse(f"a call of {word.meaning}")

    def build(self) -> None:
        """Give an array or type its state."""
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, _Building) or not isinstance(state, tuple):
            self.refuse("the state of an object")
        if target.meaning == "array":
            target.value = self.array(state)
        elif _text(state[1]) not in ("<", "|", "=") or any(part is not None for part in state[2:5]):
            self.refuse("another type of numbers")

    def array(self, state: tuple[Any, ...]) -> np.ndarray[Any, Any]:
        """Return the array that `(version, shape, type, columns first, content)` describes."""
        _, shape, kind, columns_first, content = state
        if not isinstance(kind, _Building) or kind.meaning != "dtype":
            raise TypeError
        count = math.prod(shape)
        if min(shape, default=0) < 0 or len(shape) > 8 or columns_first:
            raise ValueError
        if kind.type_name.startswith("O"):
            if not isinstance(content, list) or len(content) != count or len(shape) != 1:
                raise ValueError
            found = np.empty(count, dtype=object)
            for index, item in enumerate(content):
                found[index] = self.finished(item)
            return found
        raw = content.encode("latin-1") if isinstance(content, str) else bytes(content)
        return np.frombuffer(raw, dtype=np.dtype("<" + kind.type_name)).reshape(shape).copy()

    def finished(self, value: Any) -> Any:
        """Return a value with its arrays filled in; only plain things may be left."""
        if isinstance(value, _Building):
            if value.meaning != "array" or value.value is None:
                self.refuse("an array without content")
            return value.value
        if isinstance(value, _Word):
            self.refuse(value.meaning)
        if isinstance(value, dict):
            return {key: self.finished(item) for key, item in value.items()}
        return value

    def refuse(self, what: str) -> NoReturn:
        """Raise FileFormatError."""
        raise FileFormatError(
            message(self.where, expected="arrays of whole numbers and nothing else", got=what)
        )


def _text(value: Any) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        raise TypeError
    return text


def _push(read: Callable[[_Reader], Any]) -> Callable[[_Reader], None]:
    def action(reader: _Reader) -> None:
        reader.stack.append(read(reader))

    return action


def _append(reader: _Reader) -> None:
    item = reader.stack.pop()
    _list(reader).append(item)


def _append_all(reader: _Reader) -> None:
    items = reader.since_mark()
    _list(reader).extend(items)


def _list(reader: _Reader) -> list[Any]:
    target = reader.stack[-1]
    if not isinstance(target, list):
        raise TypeError
    return target


def _set_items(reader: _Reader, pairs: list[Any]) -> None:
    target = reader.stack[-1]
    if not isinstance(target, dict) or len(pairs) % 2:
        raise TypeError
    target.update(zip(pairs[::2], pairs[1::2], strict=True))


def _tuple(count: int) -> Callable[[_Reader], None]:
    def action(reader: _Reader) -> None:
        if len(reader.stack) < count:
            raise IndexError
        items = reader.stack[len(reader.stack) - count :]
        del reader.stack[len(reader.stack) - count :]
        reader.stack.append(tuple(items))

    return action


def _keep(number: Callable[[_Reader], int]) -> Callable[[_Reader], None]:
    def action(reader: _Reader) -> None:
        reader.kept[number(reader)] = reader.stack[-1]

    return action


def _stacked_name(reader: _Reader) -> None:
    name, module = reader.stack.pop(), reader.stack.pop()
    reader.name(_text(module), _text(name))


def _item(reader: _Reader) -> None:
    value, key = reader.stack.pop(), reader.stack.pop()
    _set_items(reader, [key, value])


# Instructions by their code, with their names in pickle's documentation.
_ACTIONS: dict[int, Callable[[_Reader], None]] = {
    0x80: lambda r: r.skip(1),  # PROTO
    0x95: lambda r: r.skip(8),  # FRAME
    0x28: lambda r: r.marks.append(len(r.stack)),  # MARK
    0x30: _Reader.drop,  # POP
    0x8A: _push(lambda r: r.number(min(r.number(1), 9), signed=True)),  # LONG1
    0x4E: _push(lambda r: None),  # NONE
    0x88: _push(lambda r: True),  # NEWTRUE
    0x89: _push(lambda r: False),  # NEWFALSE
    0x55: _push(lambda r: r.take(r.number(1))),  # SHORT_BINSTRING
    0x54: _push(lambda r: r.take(r.number(4))),  # BINSTRING
    0x43: _push(lambda r: r.take(r.number(1))),  # SHORT_BINBYTES
    0x42: _push(lambda r: r.take(r.number(4))),  # BINBYTES
    0x8E: _push(lambda r: r.take(r.number(8))),  # BINBYTES8
    0x8C: _push(lambda r: r.take(r.number(1)).decode()),  # SHORT_BINUNICODE
    0x58: _push(lambda r: r.take(r.number(4)).decode()),  # BINUNICODE
    0x5D: _push(lambda r: []),  # EMPTY_LIST
    0x7D: _push(lambda r: {}),  # EMPTY_DICT
    0x29: _push(lambda r: ()),  # EMPTY_TUPLE
    0x85: _tuple(1),  # TUPLE1
    0x86: _tuple(2),  # TUPLE2
    0x87: _tuple(3),  # TUPLE3
    0x74: lambda r: r.stack.append(tuple(r.since_mark())),  # TUPLE
    0x61: _append,  # APPEND
    0x65: _append_all,  # APPENDS
    0x73: _item,  # SETITEM
    0x75: lambda r: _set_items(r, r.since_mark()),  # SETITEMS
    0x71: _keep(lambda r: r.number(1)),  # BINPUT
    0x72: _keep(lambda r: r.number(4)),  # LONG_BINPUT
    0x94: _keep(lambda r: len(r.kept)),  # MEMOIZE
    0x68: _push(lambda r: r.kept[r.number(1)]),  # BINGET
    0x6A: _push(lambda r: r.kept[r.number(4)]),  # LONG_BINGET
    0x63: lambda r: r.name(r.line(), r.line()),  # GLOBAL
    0x93: _stacked_name,  # STACK_GLOBAL
    0x52: _Reader.reduce,  # REDUCE
    0x62: _Reader.build,  # BUILD
}
