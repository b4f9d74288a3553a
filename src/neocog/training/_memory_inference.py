"""Evaluation and prediction that outlive running out of memory: the outputs of a batch, part by part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.exceptions import OutOfMemoryError, message
from neocog.training._cost import needs_whole_batch
from neocog.training._memory import halved, log_line
from neocog.training._memory_errors import LESS, Failure, free_memory, is_out_of_memory
from neocog.training._memory_outputs import activity, hold_activity
from neocog.training._memory_parts import joined, parts_of, rows_of
from neocog.training._step import test_step, unpack
from neocog.training._trainable import runs_own


def evaluated(model: Any, data: Any, where: str = "evaluate") -> Any:
    """Evaluate on one batch by the model's `test_step`, with fewer rows at once where memory runs out."""
    own = runs_own(model, "test_step")
    late = {id(metric) for metric in model.compile_settings.all_metrics()} if own else ()  # after all outputs
    states = [(metric, metric.state_dict()) for metric in model.metrics if id(metric) not in late]

    def whole() -> Any:
        return model.test_step(data)

    def in_parts(limit: int, last_try: bool) -> Any:
        for metric, state in states:
            metric.load_state_dict(state)
        if own and not last_try:
            return test_step(model, data, lambda x: _outputs(model, x, limit))
        logs = None
        for part in parts_of(data, limit):
            trees = (part.x, part.y, part.sample_weight)
            logs = model.test_step(tuple(tree for tree in trees if tree is not None))
        return logs

    return _fewer(model, "test", where, unpack(data)[0], whole, in_parts)


def predict_on(model: Any, data: Any, where: str = "predict") -> Any:
    """Return the outputs by the model's `predict_step`, with fewer rows at once where memory runs out."""

    def in_parts(limit: int, last_try: bool) -> Any:
        return joined([model.predict_step((part.x,)) for part in parts_of(data, limit)])

    x = unpack(data)[0]
    return _fewer(model, "predict", where, x, lambda: model.predict_step(data), in_parts)


def outputs_of(model: Any, x: Any, where: str = "evaluate") -> Any:
    """Return the outputs in inference mode, with fewer rows at once where memory runs out."""

    def in_parts(limit: int, last_try: bool) -> Any:
        return _outputs(model, x, limit)

    return _fewer(model, "predict", where, x, lambda: model(x, training=False), in_parts)


def _outputs(model: Any, x: Any, limit: int) -> Any:
    """Return the outputs, part by part; layers hold what they add to the loss for all of them."""
    forward = getattr(model, "_forward_averaged", None) or (lambda rows: model(rows, training=False))
    outputs = []
    sums: dict[Any, Any] = {}
    for part in parts_of((x,), limit):
        outputs.append(forward(part.x))
        for layer, value in activity(model):
            sums[layer] = sums.get(layer, 0.0) + value * part.share
    if sums:
        hold_activity(model, sums)
    return joined(outputs)


def _fewer(
    model: Any,
    kind: str,
    where: str,
    x: Any,
    whole: Callable[[], Any],
    in_parts: Callable[[int, bool], Any],
) -> Any:
    """Return `whole()`, or where memory runs out `in_parts` of fewer and fewer rows."""
    known = model.training_state.rows
    if kind not in known:
        try:
            return whole()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure = Failure.of(error)
        free_memory()
    rows = rows_of(x)
    first = limit = known[kind] if kind in known else halved(rows, rows)
    while True:
        try:
            found = in_parts(min(limit, rows), limit == 1 or rows == 1)
            break
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure = Failure.of(error)
        free_memory()
        if limit == 1 or needs_whole_batch(model):
            got = f"none left at {limit} at once ({failure.text})"
            do = f"Use {LESS}." if limit == 1 else f"Use batch_size={limit}: the model cannot be split."
            raise OutOfMemoryError(message(where, expected=f"memory for {rows} rows", got=got, do=do))
        limit = halved(limit, limit)
    if kind not in known or limit < first:
        known[kind] = limit
        log_line(f"{where}: out of memory: from here on {limit} rows at once ({failure.text}).")
    return found
