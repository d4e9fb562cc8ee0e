"""Conditions and ranges of GET and HEAD. Source: RFC 9110, sections 13 and 14."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from werkzeug.exceptions import PreconditionFailed, RequestedRangeNotSatisfiable
from werkzeug.http import http_date, parse_date, parse_etags, unquote_etag
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BYTES = re.compile(r"bytes=(.*)", re.IGNORECASE)
# Both numbers, only the first, or only the number of the last bytes. The length is limited, because
# Python converts no number of more than 4300 digits.
_RANGE = re.compile(r"(?:([0-9]{1,20})-([0-9]{0,20})|-([0-9]{1,20}))")
# A header with more ranges than these is ignored.
_MOST_RANGES = 100


def answer_conditions(response: Response, environ: "WSGIEnvironment") -> Response:
    """Change a whole response into 304, or into the range that the request asks for.

    A response changes only if the request is GET or HEAD and the status is 2xx.
    Raises `PreconditionFailed` and `RequestedRangeNotSatisfiable`.
    """
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "HEAD") or not 200 <= response.status_code < 300:
        return response
    if "Date" not in response.headers:
        response.headers["Date"] = http_date()
    length = _length(response)
    if length is not None and response.status_code == 200:
        response.headers.setdefault("Accept-Ranges", "bytes")
    try:
        _require(response, environ)
        if _is_known(response, environ):
            response.status_code = 304
        elif method == "GET" and length and response.status_code == 200:
            _cut(response, environ, length)
    except (PreconditionFailed, RequestedRangeNotSatisfiable):
        # The error is sent in place of the response, so the file of the response is closed here.
        response.close()
        raise
    return response


def _length(response: Response) -> int | None:
    """Return the length of the whole body; None if it is not known before the body is read."""
    stated = response.headers.get("Content-Length", type=int)
    if stated is None and response.is_sequence:
        return response.calculate_content_length()
    return stated


def _require(response: Response, environ: "WSGIEnvironment") -> None:
    """Raise PreconditionFailed if the client expects another version of the content.

    Source: RFC 9110, 13.2.2, steps 1 and 2.
    """
    if "HTTP_IF_MATCH" in environ:
        wanted = parse_etags(environ["HTTP_IF_MATCH"])
        etag, is_weak = unquote_etag(response.headers.get("ETag"))
        if not wanted.star_tag and (etag is None or is_weak or not wanted.is_strong(etag)):
            raise PreconditionFailed
        return
    since, modified = parse_date(environ.get("HTTP_IF_UNMODIFIED_SINCE")), _modified(response)
    if since is not None and modified is not None and modified > since:
        raise PreconditionFailed


def _is_known(response: Response, environ: "WSGIEnvironment") -> bool:
    """Return whether the client already has the content: RFC 9110, 13.2.2, steps 3 and 4."""
    if "HTTP_IF_NONE_MATCH" in environ:
        known = parse_etags(environ["HTTP_IF_NONE_MATCH"])
        etag, _ = unquote_etag(response.headers.get("ETag"))
        return known.star_tag or (etag is not None and known.contains_weak(etag))
    since, modified = parse_date(environ.get("HTTP_IF_MODIFIED_SINCE")), _modified(response)
    return since is not None and modified is not None and modified <= since


def _cut(response: Response, environ: "WSGIEnvironment", length: int) -> None:
    """Shorten the body to the range in the request, if the request has one range of bytes."""
    ranges = _ranges(environ.get("HTTP_RANGE", ""))
    if not ranges or not _is_current(response, environ):
        return
    found = list(_satisfiable(ranges, length))
    if not found:
        raise RequestedRangeNotSatisfiable(length)
    if len(found) == 1:
        first, last = found[0]
        # Werkzeug cuts the body; the conditions are answered already.
        cut = {"REQUEST_METHOD": "GET", "HTTP_RANGE": f"bytes={first}-{last}"}
        response.make_conditional(cut, accept_ranges=True, complete_length=length)


def _ranges(header: str) -> list[tuple[str, str, str]]:
    """Return the ranges of a Range header, or [] if its unit is not bytes or a range is invalid."""
    found = _BYTES.fullmatch(header.strip(" \t"))
    parts = [part.strip(" \t") for part in found[1].split(",", _MOST_RANGES)] if found else []
    matches = [_RANGE.fullmatch(part) for part in parts if part]
    if len(parts) > _MOST_RANGES or None in matches:
        return []
    ranges = [match.groups("") for match in matches if match]
    if any(first and last and int(last) < int(first) for first, last, _ in ranges):
        return []
    return [(first, last, suffix) for first, last, suffix in ranges]


def _satisfiable(ranges: list[tuple[str, str, str]], length: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last byte of each range that the body has: RFC 9110, 14.1.2."""
    for first, last, suffix in ranges:
        if suffix and int(suffix):
            yield max(length - int(suffix), 0), length - 1
        elif first and int(first) < length:
            yield int(first), min(int(last), length - 1) if last else length - 1


def _is_current(response: Response, environ: "WSGIEnvironment") -> bool:
    """Return whether If-Range allows an answer that is only a range: RFC 9110, 13.1.5."""
    condition: str | None = environ.get("HTTP_IF_RANGE")
    if condition is None:
        return True
    condition = condition.strip(" \t")
    if condition.startswith(('"', "W/")):
        # Two weak tags are never the same in the strong comparison.
        return condition.startswith('"') and condition == response.headers.get("ETag")
    date = parse_date(condition)
    return date is not None and date == _modified(response)


def _modified(response: Response) -> datetime | None:
    return parse_date(response.headers.get("Last-Modified"))
