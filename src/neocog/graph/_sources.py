"""Where a symbolic tensor comes from."""

from __future__ import annotations

from neocog.graph._symbolic import SymbolicTensor


def get_source_inputs(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    """Return the inputs that a symbolic tensor is computed from, each once.

    Example:
        >>> from neocog.graph import Input
        >>> x = Input((3,))
        >>> get_source_inputs(x * 2 + x)[0] is x
        True
    """
    found: list[SymbolicTensor] = []
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if current.node is None:
            found.append(current)
        else:
            stack.extend(reversed(current.node.inputs))
    return found
