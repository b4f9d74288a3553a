"""A place after an epoch's last batch, where a snapshot before a validation stands, has nothing left."""

from __future__ import annotations

import numpy as np
import pytest

from neocog.data import as_source


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("count", [1, 5, 8, 33, 65, 130])
def test_every_start_gives_the_rest(count: int, shuffle: bool) -> None:
    source = as_source(np.arange(count), batch_size=8, shuffle=shuffle, seed=3)
    whole = [batch.x.tolist() for batch in source.batches(0)]
    assert len(whole) == -(-count // 8)
    for start in range(len(whole) + 1):
        assert [batch.x.tolist() for batch in source.batches(0, start)] == whole[start:]
