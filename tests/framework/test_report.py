"""The report of start-up: how mistakes are noted, and how start-up goes on."""

import pytest

from framework.report import Mistake, Report, Reported, StartupError, numbered, short_repr
from sessions import MemoryStore


def test_a_mistake_that_is_raised_is_noted_and_start_up_goes_on() -> None:
    """The mistake is noted for its place, and the next mistake is found."""
    report = Report()
    for name in ("first", "second"):
        with report.at(f"A.{name} (a.py:1)"):
            raise Mistake(f"{name} is wrong", "Correct it.")

    assert [(each.where, each.what) for each in report.mistakes] == [
        ("A.first (a.py:1)", "first is wrong"),
        ("A.second (a.py:1)", "second is wrong"),
    ]


@pytest.mark.parametrize("error", [KeyError("vary"), ValueError("x"), KeyboardInterrupt()])
def test_no_other_error_is_swallowed(error: BaseException) -> None:
    """An error that is not a mistake leaves the block of a place."""
    with pytest.raises(type(error)), Report().at("A (a.py:1)"):
        raise error


def test_a_reported_mistake_is_not_reported_again() -> None:
    """`Reported` means an earlier mistake, so it adds no other."""
    report = Report()
    here = report.at("A (a.py:1)")
    with here:
        raise Reported

    assert report.mistakes == ()
    assert not here.is_clean


def test_require_clean_raises_after_a_mistake() -> None:
    """After a note, `is_clean` is False and `require_clean` raises."""
    here = Report().at("A (a.py:1)")
    here.require_clean()
    here.note("wrong", "Correct it.")

    with pytest.raises(Reported):
        here.require_clean()


def test_a_report_without_mistakes_raises_nothing() -> None:
    """Only a mistake keeps an application from starting."""
    report = Report()
    report.raise_mistakes()
    report.note("A (a.py:1)", "wrong", "Correct it.")

    with pytest.raises(StartupError, match="1 mistake keeps"):
        report.raise_mistakes()


def test_no_reported_error_is_a_key_error() -> None:
    """So `except KeyError` never hides a mistake."""
    assert not issubclass(Mistake, LookupError)
    assert not issubclass(Reported, LookupError)


def test_an_object_without_a_text_is_named_by_its_class() -> None:
    """The address of an object is different in each process."""

    class Shelf: ...

    assert short_repr(Shelf()) == f"{__name__}.{Shelf.__qualname__}"
    assert short_repr(MemoryStore()) == repr(MemoryStore()).strip("<>")


def test_the_lines_of_a_mistake_stand_below_its_place() -> None:
    """The tenth mistake has a longer number, so its lines are indented further."""
    text = numbered(Mistake("wrong\ntwice", "Correct it.", where="Shop") for _ in range(10))

    first, *_, last = text.split("\n\n")
    assert first == "1. Shop\n   wrong\n   twice\n   Fix: Correct it."
    assert last == "10. Shop\n    wrong\n    twice\n    Fix: Correct it."
