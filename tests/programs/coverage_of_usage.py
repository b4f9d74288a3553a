"""Which names, keywords and strings of Keras the programs of `book/` write, against a list of usage.

Run as a script it prints what no program covers: `python coverage_of_usage.py ../shared/api-usage.txt`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

BOOK = Path(__file__).parent / "book"
NAME = re.compile(r"^\s*\d+\s+\d+\s+(\S+)\s*$")


@dataclass
class Usage:
    """What is written.

    Attributes:
        names: dotted name (`keras.layers.Dense`) or method (`.fit`) to the keywords passed to it.
        values: keyword to the strings given to it.
    """

    names: dict[str, set[str]] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=dict)

    def use(self, name: str, keywords: Iterable[str] = ()) -> None:
        self.names.setdefault(name, set()).update(keywords)

    def missing(self, wanted: Usage) -> list[str]:
        """Return what `wanted` has and this has not, a line each."""
        lines = []
        for name, keywords in wanted.names.items():
            if name not in self.names:
                lines.append(f"{name}({', '.join(sorted(keywords))})")
            else:
                lines += [f"{name}({word}=…)" for word in sorted(keywords - self.names[name])]
        for keyword, strings in wanted.values.items():
            lines += [f"{keyword}={value!r}" for value in sorted(strings - self.values.get(keyword, set()))]
        return lines


def read_list(text: str) -> Usage:
    """Read a list of usage: `uses files name`, below it `kw: name=count …`; and `keyword {string: count}`."""
    usage, last = Usage(), ""
    for line in text.partition("== KERAS")[2].splitlines()[1:]:
        named = NAME.match(line)
        if named:
            last = named[1]
            usage.use(last)
        elif line.strip().startswith("kw:"):
            usage.use(last, (word.partition("=")[0] for word in line.split()[1:]))
        elif line.endswith("}"):
            keyword, _, strings = line.partition(" ")
            usage.values[keyword] = set(ast.literal_eval(strings))
    return usage


def read_programs(folder: Path = BOOK) -> Usage:
    """Read what all programs of a folder write."""
    usage = Usage()
    for path in sorted(folder.glob("*.py")):
        Reader(usage).visit(ast.parse(path.read_text(encoding="utf-8")))
    return usage


class Reader(ast.NodeVisitor):
    """Collects what one program writes; imports, aliases and `partial` are followed."""

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self.aliases: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for name in node.names:
            if name.name.partition(".")[0] == "neocog":
                dotted = _keras(name.name)
                self.aliases[name.asname or "neocog"] = dotted if name.asname else "keras"
                self._use_with_parents(dotted)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if (node.module or "").partition(".")[0] == "neocog":
            for name in node.names:
                dotted = _keras(f"{node.module}.{name.name}")
                self.aliases[name.asname or name.name] = dotted
                self._use_with_parents(dotted)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        dotted = self._dotted(node.value)
        if dotted is not None:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.aliases[target.id] = dotted

    def visit_Name(self, node: ast.Name) -> None:
        self._use_with_parents(self.aliases.get(node.id))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._use_with_parents(self._dotted(node))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        keywords = [word.arg for word in node.keywords if word.arg]
        for word in node.keywords:
            if word.arg:
                self.usage.values.setdefault(word.arg, set()).update(_strings(word.value))
        dotted = self._dotted(node.func)
        if dotted is not None:
            self.usage.use(dotted, keywords)
        if isinstance(node.func, ast.Attribute) and not _is_module(self._dotted(node.func.value)):
            self.usage.use(f".{node.func.attr}", keywords)
        if isinstance(node.func, ast.Name | ast.Attribute) and ast.unparse(node.func).endswith("partial"):
            wrapped = self._dotted(node.args[0])
            if wrapped is not None:
                self.usage.use(wrapped, keywords)
        self.generic_visit(node)

    def _dotted(self, node: ast.expr) -> str | None:
        """Return the name below Keras for which an expression stands, or None."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._dotted(node.value)
            return None if owner is None else _keras(f"{owner}.{node.attr}")
        return None

    def _use_with_parents(self, dotted: str | None) -> None:
        while dotted:
            self.usage.use(dotted)
            dotted = dotted.rpartition(".")[0]


def _keras(dotted: str) -> str:
    """Return a path as Keras has it: `neocog` stands where `keras` or `tensorflow.keras` did."""
    return re.sub(r"^(neocog|keras)(\.keras)?(?=\.|$)", "keras", dotted)


def _is_module(dotted: str | None) -> bool:
    """Whether the owner of an attribute is a module: functions there (`layers.add`) are no methods."""
    return dotted is not None and dotted.rpartition(".")[2].islower()


def _strings(node: ast.expr) -> set[str]:
    """Return the strings in an argument: itself, or the items of a list, tuple or dict's values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.List | ast.Tuple):
        return set().union(*(_strings(item) for item in node.elts))
    if isinstance(node, ast.Dict):
        return set().union(*(_strings(item) for item in node.values))
    return set()


if __name__ == "__main__":
    print("\n".join(read_programs().missing(read_list(Path(sys.argv[1]).read_text(encoding="utf-8")))))
