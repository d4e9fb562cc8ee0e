"""Add the headers of a session to the response of any framework."""

from collections.abc import Callable, Iterable, MutableMapping
from http.cookies import BaseCookie, CookieError, SimpleCookie
from typing import Any

from sessions.core.headers import Headers, merge_headers
from sessions.errors import SessionError

_MERGED = ("Vary", "Cache-Control")
_REMEDY = (
    "Fix: give an empty list in place of the response. The same call then puts the headers of"
    " the session into this list. Add each of these headers to the response, as your framework adds"
    " headers"
)


def add_to_response(response: object, added: Headers) -> None:
    """Add the headers to a response, or to the header list of `start_response`.

    `response` is a list of pairs, or an object whose `headers` can hold several values of one name,
    or a response of Django. Raises TypeError for anything else.
    """
    if isinstance(response, list):
        _add_to_list(response, added)
        return
    headers = getattr(response, "headers", None)
    if isinstance(headers, list):
        _add_to_list(headers, added)
        return
    if not _holds_headers(headers):
        raise TypeError(f"{_kind(response)} has no headers that can be changed. {_REMEDY}")
    add = _adder(response, headers)
    for name in _MERGED:
        _merge(headers, [header for header in added if header[0] == name])
    for name, value in added:
        if name not in _MERGED:
            add(name, value)


def _add_to_list(headers: list[Any], added: Headers) -> None:
    if not all(_is_pair_of_text(header) for header in headers):
        raise TypeError(
            "the list must contain only pairs of str, as WSGI needs them. Fix: give a list"
            ' such as [("Content-Type", "text/plain")]'
        )
    merge_headers(headers, added)


def _is_pair_of_text(header: object) -> bool:
    return (
        isinstance(header, tuple)
        and len(header) == 2
        and all(isinstance(part, str) for part in header)
    )


def _holds_headers(headers: object) -> bool:
    return hasattr(headers, "__setitem__") and hasattr(headers, "get")


def _merge(headers: Any, added: Headers) -> None:
    """Merge the headers `added`, which all have the same name, into the headers of the response."""
    if not added:
        return
    name = added[0][0]
    merged = [(name, value) for value in _values(headers, name)]
    merge_headers(merged, added)
    headers[name] = ", ".join(value for _, value in merged)


def _values(headers: Any, name: str) -> Iterable[str]:
    """Return each value that the response has for the name."""
    for method in ("getlist", "getall", "get_all"):
        read: Callable[..., Iterable[str] | None] | None = getattr(headers, method, None)
        if callable(read):
            # Some libraries raise KeyError for a missing name, so the name is looked up first.
            return [*(read(name) or ())] if name in headers else []
    value = headers.get(name)
    return [] if value is None else [value]


def _adder(response: object, headers: Any) -> Callable[[str, str], object]:
    """Return the function that adds one more header, such as a second Set-Cookie."""
    cookies = getattr(response, "cookies", None)
    # Django keeps cookies apart from its headers, because a header there has only one value.
    if isinstance(cookies, BaseCookie):
        return lambda name, value: _add_to_django(cookies, headers, name, value)
    for method in ("add", "append"):
        add = getattr(headers, method, None)
        if callable(add):
            found: Callable[[str, str], object] = add
            return found
    raise TypeError(
        f"the headers of {_kind(response)} hold one value for each name, so a second Set-Cookie"
        f" would replace the first. {_REMEDY}"
    )


def _add_to_django(
    cookies: BaseCookie[str], headers: MutableMapping[str, str], name: str, value: str
) -> None:
    if name != "Set-Cookie":
        headers[name] = value
        return
    given, *attributes = value.split("; ")
    key, _, text = given.partition("=")
    morsel = SimpleCookie({key: text})[key]
    for attribute in attributes:
        attribute, _, setting = attribute.partition("=")
        try:
            morsel[attribute] = setting or True
        except CookieError as error:
            raise SessionError(
                f"http.cookies of this Python, with which Django writes its cookies, does not know"
                f" the attribute {attribute}. Fix: use sessions.wsgi.SessionMiddleware around the"
                " application, or Python 3.14"
            ) from error
    cookies[key] = morsel


def _kind(response: object) -> str:
    kind = type(response)
    return f"a {kind.__module__}.{kind.__qualname__}"
