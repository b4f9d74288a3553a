"""Rewrites of a model's graph, all in one place: calls in another form that give the same outputs.

What the model shows (layers, summary, files, `graph_nodes`) is the graph as it was written; only what runs is
rewritten, once, when the graph is made. A rewrite takes calls in the order in which they run and returns
calls; each has a test that holds it to the plain form. A call may only give way to another where nothing else
reads what lies between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from neocog.graph import Call, Node, SymbolicTensor, has_masks
from neocog.layers._block import Block, block_of
from neocog.layers._chain import Chain, may_follow, may_start
from neocog.layers.augment._together import WarpChain, composes, follows

Calls = list[Node | Call]
Rewrite = Callable[[Calls, frozenset[int]], Calls]


def rewritten(calls: Sequence[Node], outputs: Sequence[SymbolicTensor], *, training: bool) -> Calls | None:
    """Return the calls as they run in training or in inference; None where they run as they are.

    Args:
        calls: the nodes of a graph, in order.
        outputs: what the graph gives.
        training: which mode.
    """
    kept = frozenset(id(tensor) for tensor in outputs)
    found: Calls = list(calls)
    for rewrite in IN_TRAINING if training else IN_INFERENCE:
        found = rewrite(found, kept)
    same = len(found) == len(calls) and all(new is old for new, old in zip(found, calls, strict=True))
    return None if same else found


def compose_warps(calls: Calls, kept: frozenset[int]) -> Calls:
    """Make one call of augmentations that move pixels, each on the outputs of the one just before.

    They must stand next to each other, so that all draws stay in their order.
    """
    uses = Counter(id(tensor) for call in calls for tensor in call.inputs)
    runs: list[Calls] = []
    for call in calls:
        if runs and _continues(runs[-1][-1], call) and _between(runs[-1][-1], uses, kept):
            runs[-1].append(call)
        else:
            runs.append([call])
    return [run[0] if len(run) == 1 else _as_one(run) for run in runs]


def join_blocks(calls: Calls, kept: frozenset[int]) -> Calls:
    """Make one call of convolution, normalization, rectifier and pooling; see `layers/_block.py`."""
    uses = Counter(id(tensor) for call in calls for tensor in call.inputs)
    found: dict[int, Node | Call] = {}  # by what they give, in order
    for call in calls:
        before = found.get(id(call.args[0])) if _has_one_input(call) else None
        joined = None
        if before is not None and _between(before, uses, kept):
            joined = _block(before)
            joined = joined.extended(call.operation) if joined is not None else None
        if joined is not None and before is not None and not has_masks(call):
            del found[id(before.outputs)]
            call = Call(joined, before.args, {}, call.outputs)
        found[id(call.outputs)] = call
    return list(found.values())


def join_and_rectify(calls: Calls, kept: frozenset[int]) -> Calls:
    """As `join_blocks`, and a convolution alone rectifies what it writes."""
    return [
        Call(block, call.args, {}, call.outputs)
        if (block := _block(call)) is not None and block.convolution is not None and block.rectifies
        else call
        for call in join_blocks(calls, kept)
    ]


def join_chains(calls: Calls, kept: frozenset[int]) -> Calls:
    """Make one call of blocks that follow each other, up to the last that pools; see `layers/_chain.py`."""
    uses = Counter(id(tensor) for call in calls for tensor in call.inputs)
    runs: list[list[tuple[Node | Call, Block | None]]] = []
    for call in calls:
        block = _block(call)
        link = (call, block if may_start(block) else None)
        if runs and _links(runs[-1][-1], link) and _between(runs[-1][-1][0], uses, kept):
            runs[-1].append(link)
        else:
            runs.append([link])
    return [call for run in runs for call in _chained(run)]


def _links(before: tuple[Node | Call, Block | None], link: tuple[Node | Call, Block | None]) -> bool:
    if before[1] is None or link[1] is None or link[0].args[0] is not before[0].outputs:
        return False
    return may_follow(before[1], link[1])


def _chained(run: list[tuple[Node | Call, Block | None]]) -> Calls:
    calls = [call for call, _ in run]
    blocks = [block for _, block in run if block is not None]
    pooled = [number for number, block in enumerate(blocks, 1) if block.pooling is not None]
    if not pooled:
        return calls
    chain = Chain(blocks[: pooled[-1]])
    return [Call(chain, calls[0].args, {}, calls[pooled[-1] - 1].outputs), *calls[pooled[-1] :]]


def _block(call: Node | Call) -> Block | None:
    if isinstance(call.operation, Block):
        return call.operation
    fits = len(call.args) == 1 and not call.kwargs and not has_masks(call)
    several = isinstance(call.args[0], (list, tuple)) and len(call.args[0]) > 1 if fits else False
    return block_of(call.operation) if fits and (several or _has_one_input(call)) else None


def _has_one_input(call: Node | Call) -> bool:
    return len(call.args) == 1 and not call.kwargs and isinstance(call.args[0], SymbolicTensor)


def _continues(last: Node | Call, call: Node | Call) -> bool:
    fits = follows(last.operation, call.operation) and _is_plain(last) and _is_plain(call)
    return fits and call.args[0] is last.outputs


def _is_plain(call: Node | Call) -> bool:
    return _has_one_input(call) and composes(call.operation) and not has_masks(call)


def _between(call: Node | Call, uses: Counter[int], kept: frozenset[int]) -> bool:
    """Whether only the next call reads what this one gives."""
    return uses[id(call.outputs)] == 1 and id(call.outputs) not in kept


def _as_one(run: Calls) -> Call:
    chain = WarpChain([call.operation for call in run])  # type: ignore[misc]
    return Call(chain, run[0].args, {}, run[-1].outputs)


IN_TRAINING: tuple[Rewrite, ...] = (compose_warps, join_blocks, join_chains)
IN_INFERENCE: tuple[Rewrite, ...] = (join_and_rectify,)
