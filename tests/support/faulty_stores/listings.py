"""Faults in how records are counted and listed."""

from dataclasses import replace

from sessions.stores.listing import Page
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_live_records_are_counted")
class CountsEndedRecords(DictionaryStore):
    """What was ended counts as long as it is remembered."""

    def count(self) -> int:
        return super().count() + len(self.endings)


@found_by("test_expired_records_are_not_counted")
class CountsUntilThePurge(DictionaryStore):
    """Whatever has not been removed counts."""

    def count(self) -> int:
        self.ask_server()
        return len(self.records)


@found_by("test_a_broken_store_counts_nothing")
class CountsNothingInABrokenServer(DictionaryStore):
    """A broken store has no records."""

    def count(self) -> int:
        return 0 if self.is_broken else super().count()


@found_by("test_a_broken_store_lists_nothing")
class ListsNothingOfABrokenServer(DictionaryStore):
    """A broken store has an empty page."""

    def page(self, after: str | None, limit: int) -> Page:
        return Page([], None) if self.is_broken else super().page(after, limit)


@found_by("test_all_live_records_are_listed")
class ListsOnePage(DictionaryStore):
    """The first page is the last one."""

    def page(self, after: str | None, limit: int) -> Page:
        return Page(super().page(after, limit).records, None)


@found_by("test_all_live_records_are_listed")
class SkipsTheFirstRecordOfAPage(DictionaryStore):
    """A page begins one record too late."""

    def page(self, after: str | None, limit: int) -> Page:
        page = super().page(after, limit)
        return page if after is None else Page(page.records[1:], page.after)


@found_by("test_all_live_records_are_listed")
class ListsWithoutEnd(DictionaryStore):
    """After the last page comes the first one."""

    def page(self, after: str | None, limit: int) -> Page:
        page = super().page(after, limit)
        return Page(page.records, page.after or "")


@found_by("test_a_listing_shows_the_present_record")
class ListsWithoutGrace(DictionaryStore):
    """A part of each record is left out."""

    def page(self, after: str | None, limit: int) -> Page:
        page = super().page(after, limit)
        return Page(
            [(key, replace(record, grace=None)) for key, record in page.records], page.after
        )


@found_by("test_expired_records_are_not_listed")
class ListsUntilThePurge(DictionaryStore):
    """Whatever has not been removed is listed."""

    def page(self, after: str | None, limit: int) -> Page:
        return Page([*self.records.items()], None)


@found_by("test_a_record_that_stays_is_listed_whatever_happens_meanwhile")
class ContinuesAfterANumberOfRecords(DictionaryStore):
    """A page begins after so many records, of which some may have ended."""

    def page(self, after: str | None, limit: int) -> Page:
        begin = int(after or 0)
        records = super().page(None, begin + limit).records[begin:]
        return Page(records, str(begin + limit) if len(records) == limit else None)
