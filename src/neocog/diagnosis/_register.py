"""Whether two pictures are one: they are laid over each other, edge by edge, and compared where they overlap.

One picture is stretched, shifted and slanted along both axes until it fits the other best (Gauss-Newton on
the difference of the normalised grey values): a small turn of a picture is a slant each way. What decides is
the correlation of the grey values and that of their gradients: two photographs of one scene may share the
first, hardly ever the second.

Letters: P pairs, S side of the pictures. A pose (P, 2, 3) gives the x and the y, from -1 to 1, in the first
picture of the point (x, y, 1) of the second.

Reference: Baker and Matthews, Lucas-Kanade 20 years on, 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, grid_sample

from neocog.diagnosis._candidates import Candidates
from neocog.diagnosis._hashes import turn_picture
from neocog.diagnosis._look import Progress

Array = np.ndarray[Any, Any]

_BATCH, _CLOSE_BATCH = 2048, 128  # pairs at a time, at a quarter of the size and beyond
_ROUGH = 0.68  # correlation at a quarter of the size before anything is fitted
# Of 2,000 pairs that are copies in the end all but one reach these (edges at a quarter 0.91, at half 0.86 and
# once 0.65); of 22,000 others that are as alike in grey, nine in ten don't.
_QUARTER, _QUARTER_EDGES = 0.78, 0.8  # correlations at a quarter of the size, fitted
_HALF, _HALF_EDGES = 0.75, 0.72  # and at half
_STEPS = (3, 5, 4)  # of fitting, at a quarter, half and all of the size
_LEAST_SCALE, _MOST_SLANT, _MOST_SHIFT, _LEAST_OVERLAP = 0.6, 0.25, 0.6, 0.5


@dataclass(frozen=True)
class Fits:
    """How well pairs fit: correlation of grey values, of gradients, and the share that overlaps, as (P,)."""

    grey: Array
    edges: Array
    overlap: Array


def fit_pairs(thumbs: Array, pairs: Candidates, progress: Progress | None = None) -> Fits:
    """Lay the pictures of each pair over each other and compare them: small ones first, most end there."""
    total = len(pairs.first)
    found = np.zeros((total, 3))
    small = _quarters(thumbs) if total else thumbs
    with torch.inference_mode():
        for first in range(0, total, _BATCH):
            rows, pose = _likely(small, pairs, np.arange(first, min(first + _BATCH, total)))
            for begin in range(0, len(rows), _CLOSE_BATCH):
                block = slice(begin, begin + _CLOSE_BATCH)
                found[rows[block]] = _fit_closely(thumbs, pairs, rows[block], pose[block])
            if progress is not None:
                progress("comparing images closely", min(first + _BATCH, total), total)
    return Fits(grey=found[:, 0], edges=found[:, 1], overlap=found[:, 2])


def _quarters(thumbs: Array) -> Array:
    """Return the pictures (N, S, S) at a quarter of their size, sixteen times as bright, uint16."""
    side = thumbs.shape[-1] // 4
    found = np.empty((len(thumbs), side, side), dtype=np.uint16)
    for first in range(0, len(thumbs), _BATCH):
        block = thumbs[first : first + _BATCH].reshape(-1, side, 4, side, 4)
        found[first : first + _BATCH] = block.sum((2, 4), dtype=np.uint16)
    return found


def _pictures(thumbs: Array, pairs: Candidates, rows: Array) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures of pairs, the second ones turned, float32 (P, 1, S, S)."""
    second = thumbs[pairs.second[rows]]
    for turn in range(1, 8):
        there = pairs.turn[rows] == turn
        second[there] = turn_picture(second[there], turn)
    first, second = thumbs[pairs.first[rows]].astype(np.float32), second.astype(np.float32)
    return torch.from_numpy(first)[:, None], torch.from_numpy(second)[:, None]


def _likely(small: Array, pairs: Candidates, rows: Array) -> tuple[Array, torch.Tensor]:
    """Return the pairs among `rows` that are alike at a quarter of the size, with their poses."""
    pose = _start(pairs.window[rows], pairs.asked[rows])
    a, b = _pictures(small, pairs, rows)
    rough, _ = _correlation(b, *_laid(a, pose))
    alive = torch.nonzero(rough > _ROUGH)[:, 0]
    a, b = a[alive], b[alive]
    pose, close = _fitted(a, b, pose[alive], _STEPS[0])
    near = torch.nonzero((close > _QUARTER) & (_compared(a, b, pose)[:, 1] > _QUARTER_EDGES))[:, 0]
    return rows[alive[near].numpy()], pose[near]


def _fit_closely(thumbs: Array, pairs: Candidates, rows: Array, pose: torch.Tensor) -> Array:
    """Return correlations and overlap (P, 3) at full size; 0 for pairs that are not alike at half of it."""
    result = np.zeros((len(rows), 3))
    a, b = _pictures(thumbs, pairs, rows)
    half_a, half_b = avg_pool2d(a, 2), avg_pool2d(b, 2)
    pose, close = _fitted(half_a, half_b, pose, _STEPS[1])
    near = (close > _HALF) & (_compared(half_a, half_b, pose)[:, 1] > _HALF_EDGES)
    if near.any():
        a, b = a[near], b[near]
        pose, _ = _fitted(a, b, pose[near], _STEPS[2])
        result[near.numpy()] = _compared(a, b, pose).numpy()
    return result


def _start(window: Array, asked: Array) -> torch.Tensor:
    """Return the poses that lay the windows asked with over the windows found."""
    low = np.stack([window[:, 2], window[:, 0]], 1) * 2 - 1
    high = np.stack([window[:, 3], window[:, 1]], 1) * 2 - 1
    from_low = np.stack([asked[:, 2], asked[:, 0]], 1) * 2 - 1
    from_high = np.stack([asked[:, 3], asked[:, 1]], 1) * 2 - 1
    scale = (high - low) / (from_high - from_low)
    pose = np.zeros((len(window), 2, 3), dtype=np.float32)
    pose[:, 0, 0], pose[:, 1, 1] = scale.T
    pose[:, :, 2] = low - scale * from_low
    return torch.from_numpy(pose)


def _places(side: int) -> torch.Tensor:
    return (torch.arange(side) + 0.5) * (2 / side) - 1


def _laid(a: torch.Tensor, pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first picture as it lies on the second's pixels, and where it covers them (P, 1, S, S)."""
    line = _places(a.shape[-1])
    across, down, shift = (pose[:, None, None, :, k] for k in range(3))  # (P, 1, 1, 2)
    grid = across * line[:, None] + down * line[:, None, None] + shift  # (P, S, S, 2)
    inside = (grid.abs() <= 1).all(-1)[:, None].float()
    return grid_sample(a, grid, padding_mode="border", align_corners=False), inside


def _normal(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return values with mean 0 and length 1 a picture, 0 where the mask is 0."""
    count = mask.sum((-2, -1), keepdim=True).clamp_min(1)
    centred = (values - (values * mask).sum((-2, -1), keepdim=True) / count) * mask
    return centred / centred.square().sum((-2, -1), keepdim=True).sqrt().clamp_min(1e-3)


def _correlation(
    b: torch.Tensor, laid: torch.Tensor, inside: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    share = inside.mean((-3, -2, -1))
    return (_normal(b, inside) * _normal(laid, inside)).sum((-3, -2, -1)), share


def _fitted(
    a: torch.Tensor, b: torch.Tensor, pose: torch.Tensor, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the best poses of some Gauss-Newton steps, and their correlation."""
    best, best_pose = torch.full((len(a),), -1.0), pose
    for step in range(steps + 1):
        laid, inside = _laid(a, pose)
        score, share = _correlation(b, laid, inside)
        good = (score > best) & (share > _LEAST_OVERLAP)
        best, best_pose = torch.where(good, score, best), torch.where(good[:, None, None], pose, best_pose)
        if step < steps:
            pose = _held(pose + _change(b, laid, inside, pose))
    return best_pose, best


def _change(b: torch.Tensor, laid: torch.Tensor, inside: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
    """Return the step (P, 2, 3) that lessens what is left between the pictures most."""
    line, flat = _places(b.shape[-1]), _normal(laid, inside)
    slopes = torch.cat(_slopes(flat), 1) * inside  # (P, 2, S, S), along the second picture's axes
    along = torch.linalg.solve(pose[:, :, :2].mT, slopes.flatten(2)).view_as(slopes)  # the first one's
    moves = torch.stack([along * line, along * line[:, None], along], 2).flatten(1, 2)  # (P, 6, S, S)
    parts = torch.cat([moves, _normal(b, inside) - flat], 1).flatten(2)
    products = parts @ parts.mT  # (P, 7, 7): the Jacobian's, and with what is left
    squares = products[:, :6, :6]
    level = squares.diagonal(dim1=1, dim2=2).mean(1) * 1e-2 + 1e-9
    squares = squares + torch.eye(6) * level[:, None, None]
    step: torch.Tensor = torch.linalg.solve(squares, products[:, :6, 6:])
    return step.view(-1, 2, 3).clamp(-0.1, 0.1)


def _held(pose: torch.Tensor) -> torch.Tensor:
    """Return poses within what copies may be: stretched, slanted and shifted so much and no more."""
    most = torch.full((2, 3), _MOST_SLANT)
    most[:, 2] = _MOST_SHIFT
    most[0, 0] = most[1, 1] = 1 / _LEAST_SCALE
    least = -most
    least[0, 0] = least[1, 1] = _LEAST_SCALE
    return pose.clamp(least, most)


def _slopes(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the derivatives along x and y in units of half the picture, 0 at the edges."""
    half = picture.shape[-1] / 4
    x, y = torch.zeros_like(picture), torch.zeros_like(picture)
    x[..., 1:-1] = (picture[..., 2:] - picture[..., :-2]) * half
    y[..., 1:-1, :] = (picture[..., 2:, :] - picture[..., :-2, :]) * half
    return x, y


def _compared(a: torch.Tensor, b: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
    """Return the correlation of grey values and of gradients, and the overlap (P, 3)."""
    laid, inside = _laid(a, pose)
    grey, share = _correlation(b, laid, inside)
    core = -torch.nn.functional.max_pool2d(-inside, 5, 1, 2)  # gradients need their neighbours
    core[..., :2, :] = core[..., -2:, :] = core[..., :2] = core[..., -2:] = 0
    slopes_a, slopes_b = _slopes(_smooth(laid)), _slopes(_smooth(b))
    both_a, both_b = torch.cat(slopes_a, -1) * 1.0, torch.cat(slopes_b, -1)
    mask = torch.cat([core, core], -1)
    edges = (_normal(both_a, mask) * _normal(both_b, mask)).sum((-3, -2, -1))
    return torch.stack([grey, edges, share], 1)


def _smooth(picture: torch.Tensor) -> torch.Tensor:
    return avg_pool2d(avg_pool2d(picture, 2, 1, padding=1), 2, 1)
