"""What a server can send as a status and as headers. Source: RFC 9110, 5.1 and 5.5."""

import re

Headers = list[tuple[str, str]]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# RFC 9112, 4: the reason after the number may be empty. 1xx is never the last answer to a request
# (RFC 9110, 15.2), so a client would wait for another one.
_STATUS = re.compile(r"[2-9][0-9][0-9] [\t\x20-\x7e\x80-\xff]*")


def sendable(headers: Headers, where: str) -> Headers:
    """Return the headers as they are sent: without spaces around a value, and without tabs.

    A space replaces each tab. This does not change the meaning (RFC 9110, 5.5 and 5.6.3), and WSGI
    allows no tab (PEP 3333). `where` names the code that sets the headers. Raises ValueError for a
    header that a server cannot send.
    """
    return [(_name(name, where), _value(name, value, where)) for name, value in headers]


def check_status(status: str, where: str) -> None:
    """Raise ValueError for a status line that a server cannot send."""
    if not _STATUS.fullmatch(status):
        raise ValueError(
            f"{where} sets the status {status!r}, which no server can send. Fix: give a number of"
            " three digits, such as 404, or a text such as '404 Not Found' in Latin-1 characters."
        )


def _name(name: str, where: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"{where} sets a header named {name!r}, which is not a valid name. Fix: write letters,"
            " digits and hyphens, as in 'X-Request-Id'."
        )
    return name


def _value(name: str, value: str, where: str) -> str:
    if not _VALUE.fullmatch(value):
        is_latin = max(value) <= "\xff"
        what = "has a control character" if is_latin else "is not Latin-1"
        raise ValueError(
            f"{where} sets the header {name}: {value!r}, which {what}. Fix: percent-encode the"
            " value, or leave the header out."
        )
    return value.replace("\t", " ").strip(" ")
