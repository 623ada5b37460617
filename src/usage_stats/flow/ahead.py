"""Items and some work on each → the results in the items' order, made in threads ahead of their use.

Belongs here: the order, and how much may wait. Does not: what the work is.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

__all__ = ["ahead"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_THREADS = min(os.cpu_count() or 1, 4)  # more would wait: what uses the results goes through them in order


def ahead(
    items: Iterator[_Item], work: Callable[[_Item], _Result], threads: int = _THREADS
) -> Iterator[_Result]:
    """What some work makes of each item, in the items' order, while earlier ones are at work here.

    Items are taken one at a time, by whichever thread is free; no more results wait than there are threads.
    Reading, unpacking, fingerprinting and walking lines hold no lock of Python's: each batch of a log is a range of
    its bytes that may have a core of its own.

    Raises:
        Whatever taking an item or the work raises, at the latest in the place of its result.
    """
    taking = Lock()
    places = itertools.count()

    def take() -> tuple[int, list[_Result]]:
        with taking:
            place, taken = next(places), list(itertools.islice(items, 1))
        return place, [work(item) for item in taken]

    ready: dict[int, list[_Result]] = {}
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(take) for _ in range(threads))
        for place in itertools.count():
            while place not in ready:  # a thread may take an item before one that was asked to earlier
                ready.update([waiting.popleft().result()])
                waiting.append(pool.submit(take))
            if not ready[place]:
                return
            yield from ready.pop(place)
