"""Two optional features of a store: to count its records, and to list them."""

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from sessions.public_names import refusing
from sessions.record import Record

__all__ = ["AsyncCountable", "AsyncListable", "Countable", "Listable", "Page"]


class Page(NamedTuple):
    """Some live records with their keys, and the place where the next page begins.

    `after` is None if this is the last page. If it is a text, give it to the next call; only the
    same store can read this text. Even a page before the last one can be empty.
    """

    records: list[tuple[str, Record]]
    after: str | None


@runtime_checkable
class Countable(Protocol):
    """A store that can count its live records."""

    def count(self) -> int:
        """Return the number of live records.

        Do not call this in every request, because the server possibly has to look at each record.
        The store may count or leave out damaged records. It may also count or leave out a record
        that is created or ended during the call.
        """
        ...


@runtime_checkable
class Listable(Protocol):
    """A store that can list its live records, page by page."""

    def page(self, after: str | None, limit: int) -> Page:
        """Return about `limit` live records, beginning with the first page if `after` is None.

        A record that lives during the whole listing, from the first page to the last, is on at
        least one page. A record that is created or ended in the meantime is possibly missing.
        Damaged records are left out. The key of a session has 64 hexadecimal digits; records with
        other keys are possibly left out. The store chooses the order.
        """
        ...


@runtime_checkable
class AsyncCountable(Protocol):
    """An asynchronous store that can count its live records: see `Countable`."""

    async def count(self) -> int:
        """Return the number of live records: see `Countable.count`."""
        ...


@runtime_checkable
class AsyncListable(Protocol):
    """An asynchronous store that can list its live records: see `Listable`."""

    async def page(self, after: str | None, limit: int) -> Page:
        """Return about `limit` live records: see `Listable.page`."""
        ...


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
