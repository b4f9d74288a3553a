"""Label sequences from frames: the best path, and a search with a beam of prefixes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import check_one_of
from neocog.ops._op import as_tensor, op
from neocog.ops._shared import as_float


@op("keras.src.ops.nn>CTCDecode", call="inputs sequence_lengths")
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return label sequences for frames of logits: repeats merged, blanks left out, ends filled with -1.

    Args:
        inputs: logits, (batch, frames, classes).
        sequence_lengths: number of frames of each sample, (batch,).
        strategy: `"greedy"` takes the best class of each frame, `"beam_search"` keeps the best prefixes.
        beam_width: number of prefixes kept.
        top_paths: number of sequences returned by the search.
        merge_repeated: whether the greedy strategy merges repeats.
        mask_index: class of the blank; None for the last class.

    Shapes:
        Labels (top_paths, batch, frames), int32, and scores (batch, top_paths): log probabilities for the
        search, minus the sum of the logits on the path for the greedy strategy.

    Example:
        >>> logits = torch.eye(3)[[1, 1, 0, 2]][None] * 9
        >>> ctc_decode(logits, [4])[0]
        tensor([[[ 1,  2, -1, -1]]], dtype=torch.int32)

    Reference:
        Graves, Supervised Sequence Labelling with Recurrent Neural Networks, 2012, ch. 7.5.
    """
    check_one_of("ops.ctc_decode", "strategy", strategy, ("greedy", "beam_search"))
    frames = as_float(as_tensor(inputs))
    frames = frames.float() if frames.dtype in (torch.float16, torch.bfloat16) else frames
    lengths = as_tensor(sequence_lengths).to(frames.device)
    blank = frames.shape[2] - 1 if mask_index is None else mask_index
    if strategy.lower() == "greedy":
        return _best_path(frames, lengths, merge_repeated, blank)
    results = [
        _search(scores, max(1, int(length)), beam_width, top_paths, blank)
        for scores, length in zip(
            frames.log_softmax(-1).detach().cpu().numpy(), lengths.tolist(), strict=True
        )
    ]
    labels = np.stack([result[0] for result in results], axis=1)
    scores = np.stack([result[1] for result in results])
    return (
        torch.from_numpy(labels).to(frames.device),
        torch.from_numpy(scores).to(frames.device, frames.dtype),
    )


def _best_path(
    frames: torch.Tensor, lengths: torch.Tensor, merge_repeated: bool, blank: int
) -> tuple[torch.Tensor, torch.Tensor]:
    values, labels = frames.max(dim=-1)
    steps = torch.arange(frames.shape[1], device=frames.device)
    over = steps >= lengths[:, None]
    labels = labels.masked_fill(over, blank)
    scores = -values.masked_fill(over, 0.0).sum(dim=1, keepdim=True)
    dropped = labels == blank
    if merge_repeated:
        dropped[:, 1:] |= labels[:, 1:] == labels[:, :-1]
    # What is kept moves to the front, in order.
    order = torch.where(dropped, frames.shape[1], steps).argsort(dim=-1, stable=True)
    kept = labels.masked_fill(dropped, -1).gather(1, order)
    return kept.to(torch.int32)[None], scores


def _search(
    frames: np.ndarray[Any, Any], length: int, width: int, top: int, blank: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the best label sequences of one sample, (top, frames), and their log probabilities, (top,).

    Each prefix has two scores: of the alignments that end in the blank, and of those that end in its last
    label.
    """
    prefixes: list[tuple[int, ...]] = [()]
    ends_blank, ends_label = np.zeros(1), np.full(1, -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        for scores in frames[:length].astype(np.float64):
            prefixes, ends_blank, ends_label = _extended(
                prefixes, ends_blank, ends_label, scores, width, blank
            )
        totals = np.logaddexp(ends_blank, ends_label)
    best = np.argsort(-totals, kind="stable")[:top]
    labels = np.full((top, len(frames)), -1, dtype=np.int32)
    found = np.full(top, -np.inf)
    for row, index in enumerate(best):
        labels[row, : len(prefixes[index])] = prefixes[index]
        found[row] = totals[index]
    return labels, found


def _extended(
    prefixes: list[tuple[int, ...]],
    ends_blank: np.ndarray[Any, Any],
    ends_label: np.ndarray[Any, Any],
    scores: np.ndarray[Any, Any],
    width: int,
    blank: int,
) -> tuple[list[tuple[int, ...]], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the best prefixes after one more frame, with their two scores."""
    totals = np.logaddexp(ends_blank, ends_label)
    tails = np.array([prefix[-1] if prefix else -1 for prefix in prefixes])
    has_tail = tails >= 0
    rows = np.flatnonzero(has_tail)
    stay_blank = totals + scores[blank]
    stay_label = np.where(has_tail, ends_label + scores[tails], -np.inf)
    grown = totals[:, None] + scores[None, :]
    grown[rows, tails[rows]] = ends_blank[rows] + scores[tails[rows]]  # a repeat needs a blank between
    grown[:, blank] = -np.inf
    places = {prefix: index for index, prefix in enumerate(prefixes)}
    for prefix, index in places.items():
        parent = places.get(prefix[:-1]) if prefix else None
        if parent is not None:  # grown from its parent, it is the same prefix
            stay_label[index] = np.logaddexp(stay_label[index], grown[parent, prefix[-1]])
            grown[parent, prefix[-1]] = -np.inf
    every = np.concatenate([np.logaddexp(stay_blank, stay_label), grown.ravel()])
    best = [int(index) for index in np.argsort(-every, kind="stable")[:width] if every[index] > -np.inf]
    count, classes = len(prefixes), len(scores)
    kept = [divmod(index - count, classes) if index >= count else (index, -1) for index in best]
    old = np.array([label < 0 for _, label in kept])
    rows = np.array([row for row, _ in kept])
    return (
        [prefixes[row] if label < 0 else (*prefixes[row], label) for row, label in kept],
        np.where(old, stay_blank[rows], -np.inf),
        np.where(old, stay_label[rows], every[best]),
    )
