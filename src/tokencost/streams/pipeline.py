"""Pipeline: the next rows are read and the last are written while some are rated, with little between the three."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["Sink", "ahead"]

_T = TypeVar("_T")
_AHEAD: Final = 2
_PATIENCE_S: Final = 0.05
_END: Final[Any] = object()


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


@contextmanager
def ahead(items: Iterator[_T], *, most: int = _AHEAD) -> Generator[Iterator[_T]]:
    """Run an iterator in a thread of its own, a few items ahead; its errors are raised where the items are taken.

    >>> with ahead(iter(range(3))) as items:
    ...     list(items)
    [0, 1, 2]
    """
    between: queue.Queue[Any] = queue.Queue(most)
    stop = threading.Event()

    def work() -> None:
        last: Any = _END
        try:
            for item in items:
                if not _put(between, item, stop):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by the one who takes
            last = _Failed(error)
        _put(between, last, stop)

    thread = threading.Thread(target=work, name="tokencost-read", daemon=True)
    thread.start()
    try:
        yield _taken(between)
    finally:
        stop.set()
        thread.join()


def _put(between: queue.Queue[Any], item: Any, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            between.put(item, timeout=_PATIENCE_S)
        except queue.Full:
            continue
        return True
    return False


def _taken(between: queue.Queue[Any]) -> Iterator[Any]:
    while True:
        item = between.get()
        if isinstance(item, _Failed):
            raise item.error
        if item is _END:
            return
        yield item


class Sink(Generic[_T]):
    """A consumer in a thread of its own; its error is raised by the next `put` or at the end.

    >>> seen = []
    >>> with Sink(seen.append) as sink:
    ...     sink.put(1)
    >>> seen
    [1]
    """

    def __init__(self, consume: Callable[[_T], None], *, most: int = _AHEAD) -> None:
        self._consume = consume
        self._between: queue.Queue[Any] = queue.Queue(most)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="tokencost-write", daemon=True)

    def __enter__(self) -> Sink[_T]:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            _put(self._between, _END, self._stop)
        else:
            self._stop.set()
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, item: _T) -> None:
        """Hand over an item; waits while the consumer is busy."""
        if not _put(self._between, item, self._stop) and self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    item = self._between.get(timeout=_PATIENCE_S)
                except queue.Empty:
                    continue
                if item is _END:
                    return
                self._consume(item)
        except BaseException as error:  # noqa: BLE001 - raised again by the one who puts
            self._error = error
            self._stop.set()
