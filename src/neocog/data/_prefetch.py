"""Work done ahead of the training loop, in threads, in order, with a bound."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from neocog.core import check_int

T = TypeVar("T")
R = TypeVar("R")

_POLL = 0.1  # seconds a blocked producer waits before it looks whether it should stop


class _End:
    """The last thing in the queue: the error that ended the iteration, or None."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(items: Iterable[T], depth: int = 2) -> Iterator[T]:
    """Give the same items, computed by one background thread up to `depth` ahead.

    Nothing starts before the first item is asked for. The thread ends when the items end, when an error is
    raised (it reaches the caller), and when the caller breaks off, is interrupted or drops the iterator.

    Args:
        items: any iterable; only the thread touches it, and closes it.
        depth: items that may wait, 1 or more.

    Example:
        >>> list(prefetch(range(4), depth=2))
        [0, 1, 2, 3]
    """
    return _prefetched(items, check_int("prefetch", "depth", depth, minimum=1))


def _prefetched(items: Iterable[T], depth: int) -> Iterator[T]:
    waiting: queue.Queue[Any] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    thread = threading.Thread(
        target=_produce, args=(items, waiting, stop), name="neocog-prefetch", daemon=True
    )
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        with suppress(queue.Empty):
            while True:
                waiting.get_nowait()
        thread.join(timeout=10)


def _produce(items: Iterable[Any], waiting: queue.Queue[Any], stop: threading.Event) -> None:
    error: BaseException | None = None
    iterator: Iterator[Any] | None = None
    try:
        iterator = iter(items)
        for item in iterator:
            if not _put(waiting, item, stop):
                break
    except BaseException as caught:
        error = caught
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            with suppress(Exception):
                close()
    _put(waiting, _End(error), stop)


def _put(waiting: queue.Queue[Any], item: Any, stop: threading.Event) -> bool:
    while not stop.is_set():
        with suppress(queue.Full):
            waiting.put(item, timeout=_POLL)
            return True
    return False


def ordered_map(function: Callable[[T], R], items: Iterable[T], *, workers: int, depth: int) -> Iterator[R]:
    """Give `function(item)` in order, computed by `workers` threads up to `depth` items ahead.

    Breaking off, an error in the function or an interrupt cancels what has not begun.
    """
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="neocog-worker")
    ahead: deque[Future[R]] = deque()
    try:
        for item in items:
            ahead.append(pool.submit(function, item))
            if len(ahead) >= max(depth, 1):
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
