"""A picture of a model: rectangles, words and arrows in points (1/72 inch), from boxes and their places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from neocog.models._diagram._boxes import Box, Cell, Group, Text
from neocog.models._diagram._placing import place, without_cycles

TITLE_SIZE, CELL_SIZE = 14.0, 12.0
_PADDING = 9.0
_FRAME = 16.0  # between a group's frame and what is in it
_MARGIN = 8.0
_LOOP = 14.0  # how far a line back to its own box goes aside

Point = tuple[float, float]
Measure = Callable[[str, float, bool], float]  # text, size, bold: width


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Left, top, width, height."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Text whose left middle is at (x, y); each piece with its place from x."""

    x: float
    y: float
    pieces: tuple[tuple[str, bool, float], ...]
    size: float
    color: str = "black"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line through points, with its head at the last one."""

    points: tuple[Point, ...]


@dataclass(slots=True)
class Picture:
    """What to draw, in this order."""

    width: float = 0.0
    height: float = 0.0
    parts: list[Rectangle | Words | Arrow] = field(default_factory=list)


def picture_of(group: Group, direction: str, measure: Measure) -> Picture:
    """Return the picture of a model.

    Args:
        group: what is drawn.
        direction: where the data flow: "TB", "BT", "LR" or "RL".
        measure: returns the width of a text.
    """
    arranger = _Arranger(direction, measure)
    width, height = arranger.size_group(group)
    picture = Picture(width + 2 * _MARGIN, height + 2 * _MARGIN)
    arranger.draw_group(group, _MARGIN, _MARGIN, picture)
    return picture


@dataclass(slots=True)
class _Inside:
    """The places of a group's items, and its lines, from its left top corner."""

    corners: list[Point]
    routes: list[tuple[Box, Box, list[Point], bool]]
    size: Point


class _Arranger:
    def __init__(self, direction: str, measure: Measure) -> None:
        self.direction = direction
        self.sideways = direction in ("LR", "RL")
        self.turned = direction in ("BT", "RL")
        self.measure = measure
        self.sizes: dict[int, Point] = {}
        self.insides: dict[int, _Inside] = {}
        self.placed: dict[int, Rectangle] = {}

    def width_of(self, text: Text, size: float) -> float:
        return sum(self.measure(piece, size, bold) for piece, bold in text)

    def size_box(self, box: Box) -> Point:
        widths, height = [], 0.0
        for index, row in enumerate(box.rows):
            size = TITLE_SIZE if index == 0 else CELL_SIZE
            widths.append(sum(self.width_of(cell.text, size) + 2 * _PADDING for cell in row))
            height += size * 1.2 + 2 * _PADDING * (0.8 if index == 0 else 0.7)
        return max(widths), height

    def size_group(self, group: Group) -> Point:
        """Arrange what is in a group, and return its size."""
        sizes = []
        for item in group.items:
            if isinstance(item, Group):
                width, height = self.size_group(item)
                title = self.width_of(((item.name, True),), CELL_SIZE)
                size = max(width, title) + 2 * _FRAME, height + 2 * _FRAME + CELL_SIZE * 1.4
            else:
                size = self.size_box(item)
            self.sizes[id(item)] = size
            sizes.append(size)
        inside = self.arrange(group, sizes)
        self.insides[id(group)] = inside
        return inside.size

    def arrange(self, group: Group, sizes: list[Point]) -> _Inside:
        owner = {id(box): index for index, item in enumerate(group.items) for box in _boxes_of(item)}
        edges = [(owner[id(a)], owner[id(b)]) for a, b in group.edges]
        forward = without_cycles(len(sizes), edges)
        real = [number for number, (a, b) in enumerate(edges) if a != b]
        turned = [edges[n] if forward[n] else edges[n][::-1] for n in real]
        flat = [(h, w) for w, h in sizes] if self.sideways else sizes
        placed = place(flat, turned)
        size = (placed.width, placed.height)
        extra = _LOOP if any(a == b for a, b in edges) else 0.0
        corners = []
        for (x, y), (w, h) in zip(placed.centres, flat, strict=True):
            corners.append(self.turn((x - w / 2, y - h / 2), size, (w, h)))
        routes: list[tuple[Box, Box, list[Point], bool]] = []
        for n, (out, into), bends in zip(real, placed.gates, placed.bends, strict=True):
            # The gates' other coordinate is that of the boxes, which may stand deeper in.
            points = [(float("nan"), out), *bends, (float("nan"), into)]
            points = [self.turn(point, size) for point in points]
            routes.append((*group.edges[n], points, forward[n]))
        routes += [(*group.edges[n], [], True) for n, (a, b) in enumerate(edges) if a == b]
        width, height = size[::-1] if self.sideways else size
        if self.sideways:
            return _Inside(corners, routes, (width, height + extra))
        return _Inside(corners, routes, (width + extra, height))

    def turn(self, point: Point, size: Point, own: Point = (0.0, 0.0)) -> Point:
        """Return a point, or a corner of a box of size `own`, in the picture's direction."""
        x, y = point
        if self.turned:
            y = size[1] - y - own[1]
        return (y, x) if self.sideways else (x, y)

    def draw_group(self, group: Group, x: float, y: float, picture: Picture) -> None:
        inside = self.insides[id(group)]
        for item, (left, top) in zip(group.items, inside.corners, strict=True):
            width, height = self.sizes[id(item)]
            frame = Rectangle(x + left, y + top, width, height, dashed=True)
            if isinstance(item, Group):
                picture.parts.append(frame)
                name_y = frame.y + _FRAME / 2 + CELL_SIZE * 0.6
                picture.parts.append(Words(frame.x + _FRAME, name_y, ((item.name, True, 0.0),), CELL_SIZE))
                self.draw_group(item, frame.x + _FRAME, frame.y + _FRAME + CELL_SIZE * 1.4, picture)
            else:
                self.draw_box(item, frame, picture)
        for source, target, points, forward in inside.routes:
            moved = [(x + px, y + py) for px, py in points]
            picture.parts.append(Arrow(tuple(self.route(source, target, moved, forward))))

    def route(self, source: Box, target: Box, points: list[Point], forward: bool) -> list[Point]:
        """Return a line's points, its ends on the boxes."""
        first, last = self.placed[id(source)], self.placed[id(target)]
        if not points:
            return self.loop(first, last)
        if not forward:
            first, last = last, first
        begin, end = self.port(first, out=True), self.port(last, out=False)
        axis = 1 if self.sideways else 0
        points[0] = _with(points[0], axis, begin[axis])
        points[-1] = _with(points[-1], axis, end[axis])
        line = _simple([begin, *points, end])
        return line if forward else line[::-1]

    def port(self, box: Rectangle, out: bool) -> Point:
        """Return the middle of the side where lines leave or enter."""
        far = out != self.turned
        if self.sideways:
            return (box.x + box.width if far else box.x), box.y + box.height / 2
        return box.x + box.width / 2, (box.y + box.height if far else box.y)

    def loop(self, first: Rectangle, last: Rectangle) -> list[Point]:
        """Return a line that leaves a box and comes back to it, or to one before it, aside of the others."""
        if self.sideways:
            side = max(first.y + first.height, last.y + last.height) + _LOOP * 0.8
            out, into = first.x + first.width * 0.65, last.x + last.width * 0.35
            return [(out, first.y + first.height), (out, side), (into, side), (into, last.y + last.height)]
        side = max(first.x + first.width, last.x + last.width) + _LOOP * 0.8
        out, into = first.y + first.height * 0.65, last.y + last.height * 0.35
        return [(first.x + first.width, out), (side, out), (side, into), (last.x + last.width, into)]

    def draw_box(self, box: Box, frame: Rectangle, picture: Picture) -> None:
        self.placed[id(box)] = frame
        y = frame.y
        heights = []
        for index in range(len(box.rows)):
            size = TITLE_SIZE if index == 0 else CELL_SIZE
            heights.append(size * 1.2 + 2 * _PADDING * (0.8 if index == 0 else 0.7))
        for index, (row, height) in enumerate(zip(box.rows, heights, strict=True)):
            size = TITLE_SIZE if index == 0 else CELL_SIZE
            self.draw_row(row, Rectangle(frame.x, y, frame.width, height), size, picture)
            y += height

    def draw_row(self, row: list[Cell], place: Rectangle, size: float, picture: Picture) -> None:
        natural = [self.width_of(cell.text, size) + 2 * _PADDING for cell in row]
        spare = (place.width - sum(natural)) / len(row)
        x = place.x
        for cell, width in zip(row, natural, strict=True):
            picture.parts.append(Rectangle(x, place.y, width + spare, place.height, cell.fill))
            at, pieces = 0.0, []
            for text, bold in cell.text:
                pieces.append((text, bold, at))
                at += self.measure(text, size, bold)
            left = x + (width + spare - at) / 2
            picture.parts.append(Words(left, place.y + place.height / 2, tuple(pieces), size, cell.color))
            x += width + spare


def _boxes_of(item: Box | Group) -> list[Box]:
    return list(item.boxes()) if isinstance(item, Group) else [item]


def _with(point: Point, axis: int, value: float) -> Point:
    return (value, point[1]) if axis == 0 else (point[0], value)


def _simple(points: list[Point]) -> list[Point]:
    """Drop points that lie between their neighbours on one straight line."""
    kept = points[:1]
    for index in range(1, len(points) - 1):
        (ax, ay), (bx, by), (cx, cy) = kept[-1], points[index], points[index + 1]
        if abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) > 1e-6:
            kept.append(points[index])
    return [*kept, points[-1]]
