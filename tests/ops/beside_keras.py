"""Results of operations beside those of real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def flat(result: Any) -> list[Any]:
    if isinstance(result, (list, tuple)):
        return [leaf for item in result for leaf in flat(item)]
    return [result]


def same(row: str, got: Any, want: Any, *, values: bool = True, rtol: float = 1e-5) -> None:
    """Check that results have the same number of tensors, shapes, types and (nearly) values."""
    got, want = flat(got), flat(want)
    assert len(got) == len(want), row
    for mine, theirs in zip(got, want, strict=True):
        mine, theirs = torch.as_tensor(mine), torch.as_tensor(theirs)
        assert (tuple(mine.shape), mine.dtype) == (tuple(theirs.shape), theirs.dtype), row
        if values:
            left, right = mine.detach().resolve_conj().numpy(), theirs.detach().resolve_conj().numpy()
            np.testing.assert_allclose(left, right, rtol=rtol, atol=1e-5, err_msg=row)
