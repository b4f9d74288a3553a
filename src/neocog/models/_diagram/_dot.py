"""A drawn model that people can ask for DOT text, SVG, or an image; no Graphviz is needed for any of them."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from pathlib import Path

from neocog.core import write_bytes
from neocog.exceptions import ArgumentError, message
from neocog.models._diagram._boxes import Box, Cell, Group
from neocog.models._diagram._image import image_bytes, measure, svg_text
from neocog.models._diagram._picture import picture_of

IMAGE_FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "pdf": "PDF", "gif": "GIF", "bmp": "BMP",
                 "webp": "WEBP", "tif": "TIFF", "tiff": "TIFF"}  # fmt: skip
TEXT_FORMATS = ("dot", "gv", "raw")
_RANK_DIRECTIONS = ("TB", "BT", "LR", "RL")


class Dot:
    """A drawn model.

    Args:
        group: boxes and lines.
        rankdir: where the data flow: "TB", "BT", "LR" or "RL".
        dpi: of images.
        splines: how Graphviz would draw lines; stands in the DOT text alone.
        subgraph: whether the DOT text is that of a cluster.

    `pydot`'s names work: `to_string()`, `write(path)`, `write_png(path)`, `create(format="svg")`, …
    """

    def __init__(
        self, group: Group, rankdir: str, dpi: float, splines: str = "ortho", subgraph: bool = False
    ) -> None:
        if rankdir not in _RANK_DIRECTIONS:
            raise ArgumentError(
                message("model_to_dot", expected=f"rankdir in {_RANK_DIRECTIONS}", got=repr(rankdir))
            )
        self.group = group
        self.rankdir = rankdir
        self.dpi = dpi
        self.splines = splines
        self.subgraph = subgraph

    @property
    def source(self) -> str:
        """The DOT text."""
        names = {id(box): f"n{number}" for number, box in enumerate(self.group.boxes())}
        body = [*_items(self.group, names, "  "), *_edges(self.group, names)]
        if self.subgraph:
            head = [f"subgraph {_quoted('cluster_' + self.group.name)} {{", "  style=dashed;"]
            head += [f"  label={_quoted(self.group.name)};"]
        else:
            options = (
                f"concentrate=true dpi={self.dpi:g} rankdir={self.rankdir} splines={_quoted(self.splines)}"
            )
            head = ["digraph G {", f"  graph [{options}];", "  node [shape=record];"]
        return "\n".join([*head, *body, "}\n"])

    def to_string(self) -> str:
        """Return the DOT text."""
        return self.source

    def get_nodes(self) -> list[Box]:
        """Return the boxes."""
        return list(self.group.boxes())

    def get_edges(self) -> list[tuple[Box, Box]]:
        """Return the lines as pairs of boxes."""
        return list(_all_edges(self.group))

    def create(self, prog: object = None, format: str = "png") -> bytes:
        """Return the bytes of a file.

        Args:
            prog: accepted as in `pydot`; no other program is called.
            format: "png", "jpg", "pdf", "svg", "dot", …
        """
        kind = format.lower()
        if kind in TEXT_FORMATS:
            return self.source.encode()
        if kind != "svg" and kind not in IMAGE_FORMATS:
            known = ", ".join((*IMAGE_FORMATS, "svg", *TEXT_FORMATS))
            raise ArgumentError(message("plot_model", expected=f"a format among {known}", got=repr(format)))
        picture = picture_of(self.group, self.rankdir, measure)
        if kind == "svg":
            return svg_text(picture, min(self.dpi, 96)).encode()
        return image_bytes(picture, IMAGE_FORMATS[kind], self.dpi)

    def write(self, path: str | os.PathLike[str], prog: object = None, format: str | None = None) -> bool:
        """Write a file: DOT text unless `format`, or the ending of the path, says something else."""
        ending = Path(path).suffix[1:].lower()
        known = ending == "svg" or ending in IMAGE_FORMATS
        write_bytes(path, self.create(format=format or (ending if known else "raw")))
        return True

    def create_svg(self, prog: object = None) -> bytes:
        """Return an SVG document."""
        return self.create(format="svg")

    def create_png(self, prog: object = None) -> bytes:
        """Return a PNG image."""
        return self.create(format="png")

    def write_png(self, path: str | os.PathLike[str], prog: object = None) -> bool:
        """Write a PNG image."""
        return self.write(path, format="png")

    def write_svg(self, path: str | os.PathLike[str], prog: object = None) -> bool:
        """Write an SVG document."""
        return self.write(path, format="svg")

    def write_pdf(self, path: str | os.PathLike[str], prog: object = None) -> bool:
        """Write a PDF document."""
        return self.write(path, format="pdf")

    def write_raw(self, path: str | os.PathLike[str], prog: object = None) -> bool:
        """Write the DOT text."""
        return self.write(path, format="raw")

    write_dot = write_raw

    def _repr_svg_(self) -> str:
        return self.create_svg().decode()

    def __str__(self) -> str:
        return self.source


def _all_edges(group: Group) -> Iterator[tuple[Box, Box]]:
    yield from group.edges
    for item in group.items:
        if isinstance(item, Group):
            yield from _all_edges(item)


def _items(group: Group, names: dict[int, str], indent: str) -> Iterator[str]:
    for item in group.items:
        if isinstance(item, Box):
            look = "border=0 fontname=Helvetica margin=0"
            yield f"{indent}{names[id(item)]} [{look} label={_table(item)}];"
            continue
        yield f"{indent}subgraph {_quoted('cluster_' + item.name)} {{"
        yield f"{indent}  style=dashed; label={_quoted(item.name)}; labeljust=l;"
        yield from _items(item, names, indent + "  ")
        yield f"{indent}}}"


def _edges(group: Group, names: dict[int, str]) -> Iterator[str]:
    for source, target in _all_edges(group):
        yield f"  {names[id(source)]} -> {names[id(target)]} [penwidth=2];"


def _table(box: Box) -> str:
    span = max(len(row) for row in box.rows)
    text = '<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">'
    for index, row in enumerate(box.rows):
        cells = "".join(_cell(cell, 16 if index == 0 else 14, span if len(row) == 1 else 1) for cell in row)
        text += f"<tr>{cells}</tr>"
    return text + "</table>>"


def _cell(cell: Cell, size: int, span: int) -> str:
    words = "".join(
        f"<b>{html.escape(piece)}</b>" if bold else html.escape(piece) for piece, bold in cell.text
    )
    return (
        f'<td colspan="{span}" bgcolor="{cell.fill}"><font point-size="{size}" color="{cell.color}">'
        f"{words}</font></td>"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
