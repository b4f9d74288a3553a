"""Where boxes stand: ranks by the longest path, few crossings, lines as straight as there is room for.

Pure arithmetic on sizes, from top to bottom; other directions turn the result.

Reference: K. Sugiyama, S. Tagawa, M. Toda: Methods for visual understanding of hierarchical system
    structures, 1981.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_SWEEPS = 8
_PASSES = 40
_NARROW = 8.0  # width of a line that passes a rank


@dataclass(frozen=True, slots=True)
class Placed:
    """Where everything is: the centre of each box, the points of each line, the size of it all."""

    centres: list[tuple[float, float]]
    gates: list[tuple[float, float]]  # of each edge: where it leaves its first rank and enters its last
    bends: list[list[tuple[float, float]]]  # of each edge, in the ranks that it passes
    width: float
    height: float


def place(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    gap: float = 24.0,
    rank_gap: float = 34.0,
) -> Placed:
    """Place boxes, sources on top.

    Args:
        sizes: width and height of each box.
        edges: pairs (from, to) of box numbers; without cycles.
        gap: least distance between neighbours.
        rank_gap: distance between ranks.
    """
    ranks = rank(len(sizes), edges)
    grid = _Grid(sizes, edges, ranks)
    order = uncross(grid.rows, grid.links)
    xs = spread(order, grid.links, grid.widths, gap)
    heights = [max((grid.heights[item] for item in row), default=0.0) for row in order]
    tops = np.concatenate([[0.0], np.cumsum([height + rank_gap for height in heights])])
    centres = [(xs[item], float(tops[ranks[item]] + heights[ranks[item]] / 2)) for item in range(len(sizes))]
    bends = []
    for chain in grid.chains:
        points: list[tuple[float, float]] = []
        for item in chain:
            top = float(tops[grid.rank[item]])
            points += [(xs[item], top), (xs[item], top + heights[grid.rank[item]])]
        bends.append(points)
    width = max((xs[i] + grid.widths[i] / 2 for i in range(len(xs))), default=0.0)
    gates = [
        (float(tops[ranks[source]] + heights[ranks[source]]), float(tops[ranks[target]]))
        for source, target in edges
    ]
    return Placed(centres, gates, bends, width, float(tops[-1] - rank_gap) if heights else 0.0)


def without_cycles(count: int, edges: Sequence[tuple[int, int]]) -> list[bool]:
    """Return for each edge whether it points on; those that would close a cycle are to be turned."""
    after: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, (source, target) in enumerate(edges):
        after[source].append((number, target))
    forward = [True] * len(edges)
    state = [0] * count  # 1 while on the way, 2 when done
    for start in range(count):
        way = [(start, iter(after[start]))] if state[start] == 0 else []
        state[start] = max(state[start], 1)
        while way:
            item, rest = way[-1]
            step = next(rest, None)
            if step is None:
                state[item] = 2
                way.pop()
            elif state[step[1]] == 1:
                forward[step[0]] = False
            elif state[step[1]] == 0:
                state[step[1]] = 1
                way.append((step[1], iter(after[step[1]])))
    return forward


def rank(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return each box's rank: the longest way to it from a source; sources move down to their first use."""
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in edges:
        after[source].append(target)
        waiting[target] += 1
    sources = [waiting[item] == 0 for item in range(count)]
    ready = [item for item in range(count) if sources[item]]
    ranks = [0] * count
    for item in ready:  # grows while it runs
        for target in after[item]:
            ranks[target] = max(ranks[target], ranks[item] + 1)
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    for item in range(count):
        if sources[item] and after[item]:
            ranks[item] = min(ranks[target] for target in after[item]) - 1
    return ranks


class _Grid:
    """Boxes and passing lines in rows; a line over several ranks is a chain of narrow places."""

    def __init__(
        self, sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], ranks: list[int]
    ) -> None:
        self.rank = list(ranks)
        self.widths = [width for width, _ in sizes]
        self.heights = [height for _, height in sizes]
        self.chains: list[list[int]] = []
        self.links: list[tuple[int, int]] = []
        for source, target in edges:
            chain = []
            for level in range(ranks[source] + 1, ranks[target]):
                chain.append(len(self.rank))
                self.rank.append(level)
                self.widths.append(_NARROW)
                self.heights.append(0.0)
            stops = [source, *chain, target]
            self.links += list(pairwise(stops))
            self.chains.append(chain)
        self.rows: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        for item, level in enumerate(self.rank):
            self.rows[level].append(item)


def uncross(rows: list[list[int]], links: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the rows in an order with few crossings: each item at the mean place of its neighbours."""
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for source, target in links:
        below.setdefault(source, []).append(target)
        above.setdefault(target, []).append(source)
    order = [list(row) for row in rows]
    best, fewest = [list(row) for row in order], crossings(order, below)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        near = above if sweep % 2 == 0 else below
        levels = range(len(order)) if sweep % 2 == 0 else range(len(order) - 1, -1, -1)
        place = {item: index for row in order for index, item in enumerate(row)}
        for level in levels:
            centre = {
                item: sum(place[other] for other in near[item]) / len(near[item])
                if item in near
                else place[item]
                for item in order[level]
            }
            order[level].sort(key=centre.__getitem__)
            place.update({item: index for index, item in enumerate(order[level])})
        count = crossings(order, below)
        if count < fewest:
            best, fewest = [list(row) for row in order], count
    return best


def crossings(order: list[list[int]], below: dict[int, list[int]]) -> int:
    """Return how many pairs of lines between neighbouring rows cross."""
    total = 0
    for row, lower in pairwise(order):
        place = {item: index for index, item in enumerate(lower)}
        met: list[int] = []
        for item in row:
            ends = sorted(place[target] for target in below.get(item, ()) if target in place)
            total += sum(1 for end in ends for other in met if other > end)
            met += ends
    return total


def spread(
    order: list[list[int]], links: Sequence[tuple[int, int]], widths: Sequence[float], gap: float
) -> list[float]:
    """Return x for each item: near its neighbours above and below, without overlap, from 0 on."""
    near: dict[int, list[int]] = {}
    for source, target in links:
        near.setdefault(source, []).append(target)
        near.setdefault(target, []).append(source)
    xs = [0.0] * len(widths)
    for row in order:
        edge = 0.0
        for item in row:
            xs[item] = edge + widths[item] / 2
            edge += widths[item] + gap
        for item in row:
            xs[item] -= edge / 2
    for turn in range(_PASSES):
        for row in order if turn % 2 == 0 else reversed(order):
            wanted = [
                sum(xs[other] for other in near[item]) / len(near[item]) if item in near else xs[item]
                for item in row
            ]
            for item, x in zip(row, _apart(row, wanted, widths, gap), strict=True):
                xs[item] = x
    left = min((xs[item] - widths[item] / 2 for item in range(len(widths))), default=0.0)
    return [x - left for x in xs]


def _apart(row: list[int], wanted: list[float], widths: Sequence[float], gap: float) -> list[float]:
    """Return the places nearest to the wanted ones, in least squares, that keep order and distance.

    With the needed distances taken off, this is a regression on rising values: neighbours that would fall
    pool to their mean.
    """
    offset = 0.0
    offsets, pools = [], []
    for index, item in enumerate(row):
        if index:
            offset += (widths[row[index - 1]] + widths[item]) / 2 + gap
        offsets.append(offset)
        pools.append((wanted[index] - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (first, many), (second, more) = pools[-2], pools[-1]
            pools[-2:] = [((first * many + second * more) / (many + more), many + more)]
    means = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
