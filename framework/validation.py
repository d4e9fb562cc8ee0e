"""The 422 for a request with invalid values: its errors, and the text of each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from werkzeug.exceptions import UnprocessableEntity

REQUIRED = "is required"

_GOT = re.compile(r", got \w+$")
_LONGEST_TEXT = 40
# The way in which msgspec writes a place in a value.
PLACE = re.compile(r" - at (?:`key` in )?`\$(?P<path>.*)`$")

# Clearer texts for msgspec's own: an example says more than the name of a standard.
_EXAMPLES = {
    "invalid RFC3339 encoded datetime": "expected datetime such as '2026-11-22T10:30:00'",
    "invalid RFC3339 encoded date": "expected date such as '2026-11-22'",
    "invalid RFC3339 encoded time": "expected time such as '10:30:00'",
    "invalid ISO8601 duration": "expected timedelta such as 'PT1H30M'",
    "invalid decimal string": "expected Decimal such as '1.10'",
}


@dataclass(frozen=True)
class FieldError:
    """Name one invalid value, such as `query:page` or `body:/items/0/price`, and its error."""

    where: str
    what: str


class InvalidRequest(UnprocessableEntity):
    """Answer 422 with every invalid value of the request."""

    description = "The request holds invalid values."

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__()
        self.errors = list(errors)


class UnshownTextError(ValueError):
    """Say what is wrong with a text, and do not show the text, which may be a password."""


def invalid(where: str, what: str) -> InvalidRequest:
    """Return the error for one invalid value."""
    return InvalidRequest([FieldError(where, what)])


def repeated(count: int) -> str:
    """Say that the request has several values where one is expected."""
    return f"is there {count} times, expected once"


def told(error: Exception, text: str) -> str:
    """Say what is wrong with a text, in the words of the converter's error."""
    if isinstance(error, UnshownTextError):
        return str(error)
    shown = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
    return f"{_GOT.sub('', plain(error))}, got {shown!r}"


def plain(error: Exception) -> str:
    """Return the words of an error without msgspec's place and markup, or clearer words."""
    words = PLACE.sub("", str(error)).replace("`", "").removeprefix("JSON is malformed: ")
    words = words[:1].lower() + words[1:]
    return _EXAMPLES.get(words, words)
