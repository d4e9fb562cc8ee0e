"""The 422 for a request with invalid values: its errors, and the text of each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import UnprocessableEntity

from framework.advice.other_frameworks import refusing

REQUIRED = "is required"
UNKNOWN = "is not known"

_GOT = re.compile(r", got \w+$")
_LONGEST_TEXT = 40
# The words may show a whole text of the client.
_LONGEST_WORDS = 1000
# The text that msgspec writes before the place of an error in a value.
_AT = " - at `"
# The types that have a length, as msgspec names them, and the unit of each length.
_COUNTED = {"str": "character", "array": "item", "object": "key"}
_LENGTH = re.compile(r"^expected (str|array|object) of length")
_NUMBER = re.compile(r"^expected (?:int|float) (?:[<>]|that's a multiple)")

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
    """An invalid value: its place, such as `query:page` or `body:/items/0/price`, and its error."""

    where: str
    what: str


class InvalidRequest(UnprocessableEntity):
    """Answer 422 with every invalid value of the request."""

    description = "The request holds invalid values."

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__()
        self.errors = list(errors)


class UnshownTextError(ValueError):
    """An error about a text that may be a password, so the message does not show the text."""


def invalid(where: str, what: str) -> InvalidRequest:
    """Return the error for one invalid value."""
    return InvalidRequest([FieldError(where, what)])


def repeated(count: int) -> str:
    """Return the error for several values where the parameter takes one value."""
    return f"has {count} values, expected one"


def told(error: Exception, text: str) -> str:
    """Return what is wrong with a text, from the message of the converter's error."""
    if isinstance(error, UnshownTextError):
        return str(error)
    return f"{_GOT.sub('', plain(error))}, got {shortened(text)!r}"


def limit_told(words: str, value: Any) -> str:
    """Return the words of an error, with the length or the number that breaks a limit.

    If the value is a text, the result does not show the value, because a text may be secret.
    """
    if found := _LENGTH.match(words):
        unit, length = _COUNTED[found[1]], len(value)
        return f"{words}, got {length} {unit if length == 1 else unit + 's'}"
    return f"{words}, got {shortened(repr(value))}" if _NUMBER.match(words) else words


def shortened(text: str) -> str:
    """Return a text that is short enough for a message."""
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def plain(error: Exception) -> str:
    """Return the words of an error without the place and the markup that msgspec adds.

    If a clearer text for these words is known, return the clearer text.
    """
    words = _words_and_place(error)[0].replace("`", "").removeprefix("JSON is malformed: ")
    words = words[:1].lower() + words[1:_LONGEST_WORDS]
    return _EXAMPLES.get(words, words)


def place_of(error: Exception) -> str:
    """Return where in a value msgspec found the error, such as `[0].name`."""
    return _words_and_place(error)[1]


def _words_and_place(error: Exception) -> tuple[str, str]:
    # The words may show a text of the client, and the place is always last: no expression searches
    # the words, because a client could make the search slow.
    text = str(error)
    words, _, place = text.rpartition(_AT)
    inside = place.removeprefix("key` in `")
    if not (words and inside.startswith("$") and inside.endswith("`")):
        return text, ""
    return words, inside[1:-1]


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
