"""A thread of a pool runs kernels alone, and leaves the others as they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch

from neocog.core import work_alone


def test_the_setting_is_the_threads_own() -> None:
    before = torch.get_num_threads()
    with ThreadPoolExecutor(max_workers=1, initializer=work_alone) as pool:
        assert pool.submit(torch.get_num_threads).result() == 1
    assert torch.get_num_threads() == before
