"""Travel: a book that goes to other machines as its fingerprint."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import tokencost
from tokencost.errors import StreamError, TableError
from tokencost.rating.book import Book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokencost.rating.layers import Layer
    from tokencost.tariffs.shelf import Shelf

__all__ = ["Ticket", "TravellingBook", "unpacked"]

_CURE: Final = (
    "install the same version of the package and the same tables on every machine, "
    "or pass names= and span= to BatchRater, so that their law travels along"
)
_OPENED: Final[dict[str, Shelf | StreamError]] = {}
"""The tables that this process has opened and compared, by fingerprint, or what was wrong; a worker runs thousands of tasks."""

_KEPT: Final = 4
_here = threading.local()


class Ticket(NamedTuple):
    """What a book is known by elsewhere: its fingerprint, how to open its tables there, its currency and its layers."""

    fingerprint: str
    opener: Callable[..., Shelf]
    tables: tuple[Any, ...]
    currency: str
    layers: tuple[Layer, ...]

    def shelf(self) -> Shelf:
        """Return the tables of this machine; they are read and compared once in a process.

        Raises:
            StreamError: they are missing, or they are not the same.
        """
        found = _OPENED.get(self.fingerprint)
        if found is None:
            found = _OPENED[self.fingerprint] = self._opened()
        if isinstance(found, StreamError):
            raise StreamError(found.message, **found.facts)
        return found

    def _opened(self) -> Shelf | StreamError:
        """Return the tables, or why they will not do; either is the same for as long as the process runs."""
        try:
            shelf = self.opener(*self.tables)
        except TableError as error:
            message = f"the price tables of book {self.fingerprint} are not on this machine: {error}; {_CURE}"
            return StreamError(message, expected=self.fingerprint, found=None)
        found = Book(shelf, layers=self.layers).fingerprint
        if found == self.fingerprint:
            return shelf
        message = (
            f"the price tables of this machine have the fingerprint {found}, "
            f"those of the book that was sent have {self.fingerprint}; {_CURE}"
        )
        return StreamError(message, expected=self.fingerprint, found=found)


class TravellingBook(Book):
    """A book that pickles as its ticket, and opens the tables of the machine it comes to when something is first asked of them.

    Layers and tariffs from memory travel with it. Tables in a folder of one's own are looked for under the same path.
    """

    def __init__(self, ticket: Ticket, shelf: Shelf | None = None) -> None:
        self.ticket = ticket
        if shelf is not None:
            self.shelf = shelf
        self.currency = ticket.currency
        self.layers = ticket.layers
        self.fingerprint = ticket.fingerprint
        self._lines = {}
        self._plain = {}

    @classmethod
    def of(cls, book: Book) -> Self:
        """Return the same book, ready to travel. Reads all tables, for the fingerprint."""
        reduced = book.shelf.__reduce__()
        _OPENED.setdefault(book.fingerprint, book.shelf)
        return cls(Ticket(book.fingerprint, reduced[0], reduced[1], book.currency, book.layers), book.shelf)

    def __getattr__(self, name: str) -> Any:
        if name != "shelf":
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        self.shelf = self.ticket.shelf()
        return self.shelf

    @property
    def is_open(self) -> bool:
        """Whether the tables of this machine were needed, and are those of the ticket."""
        return "shelf" in self.__dict__

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self.ticket, tokencost.__version__)


def _arrived(ticket: Ticket, version: str) -> TravellingBook:
    if version != tokencost.__version__:
        raise StreamError(
            f"book {ticket.fingerprint} was sent by version {version}, and this machine has {tokencost.__version__}; {_CURE}",
            expected=version,
            found=tokencost.__version__,
        )
    return TravellingBook(ticket)


def unpacked(packed: bytes) -> Any:
    """Return what was pickled, one and the same for this thread while it is in use.

    A plan grows while it rates, so threads must not share it; and what it has learned is worth keeping from one task to the next.
    """
    kept: OrderedDict[bytes, Any] = _here.__dict__.setdefault("kept", OrderedDict())
    if packed not in kept:
        kept[packed] = pickle.loads(packed)  # noqa: S301 - packed by this package, and sent by the caller's own cluster
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    return kept[packed]
