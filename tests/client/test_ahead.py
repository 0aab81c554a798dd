"""Stages overlap, in order and within bounds."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Event

import pytest
from deepfake_client.ahead import ahead


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_results_come_in_the_order_of_the_items(pool):
    first_may_end = Event()

    def work(item: int) -> int:
        if item == 0:
            first_may_end.wait(10)
        elif item == 2:
            first_may_end.set()
        return item

    assert list(ahead(pool, work, range(9), limit=3)) == list(range(9))


class WhenAsked(Executor):
    """Does the work only when its result is asked for."""

    def submit(self, work, /, *arguments, **options):
        done = Future()
        done.result = lambda: work(*arguments, **options)
        return done


def test_no_more_items_are_taken_than_the_limit_allows():
    taken = []
    items = (taken.append(item) or item for item in range(20))
    results = ahead(WhenAsked(), lambda item: item, items, limit=3)
    assert next(results) == 0 and taken == [0, 1, 2]
    assert next(results) == 1 and taken == [0, 1, 2, 3]


class AtOnce(Executor):
    """Has done the work when it is asked to."""

    def submit(self, work, /, *arguments, **options):
        done = Future()
        done.set_result(work(*arguments, **options))
        return done


def test_a_result_that_is_ready_does_not_wait_for_more_items():
    taken = []
    items = (taken.append(item) or item for item in range(5))
    assert next(ahead(AtOnce(), lambda item: item, items, limit=4)) == 0
    assert taken == [0]


def test_an_error_of_the_work_reaches_the_reader(pool):
    with pytest.raises(ZeroDivisionError):
        list(ahead(pool, lambda item: 1 // item, [1, 0, 1], limit=2))
