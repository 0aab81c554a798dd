"""Work done ahead of its reader, in order and bounded: how the stages of an analysis overlap."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def ahead(pool: Executor, work: Callable[[Item], Done], items: Iterable[Item], limit: int) -> Iterator[Done]:
    """`work` of each item, in order, with at most `limit` items taken and not yet read."""
    pending: deque[Future[Done]] = deque()
    for item in items:
        pending.append(pool.submit(work, item))
        del item  # a frame is large: let the work alone hold it
        yield from ready(pending, limit)
    yield from ready(pending, 1)


def ready(pending: deque[Future[Done]], limit: int) -> Iterator[Done]:
    """Takes from the front what is done; waits for it while `limit` are pending."""
    while pending and (len(pending) >= limit or pending[0].done()):
        yield pending.popleft().result()
