"""The body of 404, 500 and every other HTTP error: problem+json (RFC 9457) or an HTML page."""

import re
import reprlib
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import msgspec
from markupsafe import Markup
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import (
    Conflict,
    HTTPException,
    InternalServerError,
    ServiceUnavailable,
    Unauthorized,
    default_exceptions,
)
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response

from framework.advice.errors import note_once, note_remedy
from framework.http.headers import Headers, check_status, sendable
from framework.http.pages import error_page
from framework.http.responses import (
    NOSNIFF,
    Rendered,
    render_response,
    status_line,
)
from framework.results import encode_json
from framework.types.encoding import COPY_OF_SESSION
from framework.types.signatures import describe
from framework.validation import FieldError, InvalidRequest
from sessions.errors import MalformedToken, SessionError, StoreUnavailable, TooManySessions
from sessions.session import Session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# What json, msgspec and orjson say of an object that they cannot encode.
_NOT_JSON = re.compile(
    r"(?:Object of type|Encoding objects of type|Type is not JSON serializable:) (?P<type>\w+)"
)
# Werkzeug's own text for 503 speaks of maintenance.
_UNAVAILABLE = "The server cannot reach its sessions at the moment. Try again in a moment."
_TOO_MANY = "You are logged in too often. Log out elsewhere, and log in again."
_MALFORMED = "The token of the session is malformed."


class ProblemDetails(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The members of a problem document."""

    # "about:blank" means that the status says everything. The field has no default, because
    # msgspec leaves out fields that have their default value.
    type: str
    title: str
    status: int
    detail: str = ""
    errors: Sequence[FieldError] = ()


def as_http_error(error: Exception) -> HTTPException | None:
    """Return the HTTP error that an exception stands for; None if the exception is a bug."""
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, StoreUnavailable):
        return ServiceUnavailable(_UNAVAILABLE, retry_after=error.retry_after)
    if isinstance(error, MalformedToken):
        return ChallengedRequest(error.challenge)
    if isinstance(error, TooManySessions):
        return Conflict(_TOO_MANY)
    if isinstance(error, SessionError) and error.status != InternalServerError.code:
        return default_exceptions[error.status]()
    return None


class ChallengedRequest(Unauthorized):
    """Answer 401 for a malformed token, with `challenge` as WWW-Authenticate (RFC 9110, 11.6.1)."""

    def __init__(self, challenge: str) -> None:
        super().__init__(_MALFORMED)
        self._challenge = challenge

    def get_headers(self, *args: object, **kwargs: object) -> list[tuple[str, str]]:
        """Add the header WWW-Authenticate."""
        return [*super().get_headers(), ("WWW-Authenticate", self._challenge)]


class UnanswerableError(TypeError):
    """The reason why no answer can be made from an HTTP error that was raised."""


def answerable(error: Exception) -> Exception:
    """Return the exception, or UnanswerableError if no answer can be made from the exception."""
    fault = _fault(error) if isinstance(error, HTTPException) else None
    if fault is None:
        return error
    bug = UnanswerableError(fault)
    # The traceback in the log then shows the line that raised.
    bug.__cause__ = error
    return bug


def add_remedy(error: Exception) -> None:
    """Add the remedy to an error that goes to the log, if the remedy is known."""
    refused = _NOT_JSON.match(str(error)) if isinstance(error, TypeError) else None
    kinds: tuple[type, ...] = (Session, *Session.__subclasses__())
    if refused and any(kind.__name__ == refused["type"] for kind in kinds):
        note_once(error, f"Fix: {COPY_OF_SESSION}.")
    note_remedy(error)


def render_problem(error: HTTPException, environ: "WSGIEnvironment") -> Rendered:
    """Render the response that an HTTP error holds; without a response, render the error itself."""
    if error.response is not None or (error.code is not None and error.code < 400):
        return render_response(error.get_response(environ), environ, type(error).__name__)
    details = _details(error)
    line = status_line(details.status)
    check_status(line, f"the error {type(error).__name__}")
    headers = own_headers(error, environ)
    if prefers_html(environ):
        body = _page(details).encode()
        headers.append(HTML)
    else:
        body = encode_json(details)
        headers.append(PROBLEM)
    # The client's Accept header decides between the two types.
    headers += [NOSNIFF, ("Vary", "Accept"), ("Content-Length", str(len(body)))]
    return line, headers, [body]


def refusing(error: Exception) -> "WSGIApplication":
    """Return an application that answers every request with an error."""

    def refuse(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        http_error = as_http_error(error) or InternalServerError()
        status, headers, body = render_problem(http_error, environ)
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    return refuse


def own_headers(error: HTTPException, environ: "WSGIEnvironment") -> Headers:
    """Return the headers of an error, such as Allow and Retry-After, without Content-Type.

    Raises ValueError for a header that a server cannot send.
    """
    headers = sendable(error.get_headers(environ), f"the error {type(error).__name__}")
    return [(name, value) for name, value in headers if name.lower() != "content-type"]


def prefers_html(environ: "WSGIEnvironment") -> bool:
    """Return whether the client of a request would rather have a page than JSON."""
    header = environ.get("HTTP_ACCEPT", "")
    if "text/html" not in header:
        return False
    accepted = parse_accept_header(header, MIMEAccept)
    json = max(accepted["application/problem+json"], accepted["application/json"])
    return accepted["text/html"] > json


def _details(error: HTTPException) -> ProblemDetails:
    return ProblemDetails(
        type="about:blank",
        title=error.name,
        status=error.code or HTTPStatus.INTERNAL_SERVER_ERROR,
        # The description may be an exception or a text that is translated late.
        detail=_sendable(str(error.description or "")),
        errors=_shown(error.errors) if isinstance(error, InvalidRequest) else (),
    )


def _shown(errors: Iterable[FieldError]) -> list[FieldError]:
    return [FieldError(_sendable(error.where), _sendable(error.what)) for error in errors]


def _sendable(text: str) -> str:
    """Return a text with its surrogates escaped; they stand for bytes that are not UTF-8."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _fault(error: HTTPException) -> str | None:
    """Return why no answer can be made from an HTTP error; None if an answer can be made."""
    name, response, code = describe(type(error)), cast(object, error.response), error.code
    if response is not None and not isinstance(response, Response):
        status = error.description if isinstance(error.description, int) else code or 404
        return (
            f"{name} got {reprlib.repr(response)} as its response, which is not a Response:"
            f" {name} takes a description and then a response. Fix: {_right(name, code)} or"
            f' abort({status}, "text").'
        )
    # Only the base class is refused: a subclass without a status is answered with 500.
    if response is None and type(error) is HTTPException:
        return (
            f"{name} has no status, so no answer can be made. Fix: raise a class with a status,"
            ' such as NotFound("text"), or write abort(404, "text").'
        )
    if code is not None and not _is_status(code):
        return (
            f"{name} has the status {code!r}, which no server can send. Fix: write a whole number"
            " from 200 to 599 in the class, as in code = 404."
        )
    return None


def _right(name: str, code: int | None) -> str:
    return 'write NotFound("text")' if code is None else f'write {name}("text")'


def _is_status(code: object) -> bool:
    return isinstance(code, int) and 200 <= code <= 599


def _page(details: ProblemDetails) -> str:
    content = Markup("<p>{}</p>\n").format(details.detail)
    content += _listed(details.errors)
    return error_page(f"{details.status} {details.title}", content)


def _listed(errors: Sequence[FieldError]) -> Markup:
    lines = [
        Markup("<li><code>{}</code> {}</li>\n").format(error.where, error.what) for error in errors
    ]
    return Markup("<ul>\n{}</ul>\n").format(Markup().join(lines)) if lines else Markup()


HTML = ("Content-Type", "text/html; charset=utf-8")
PROBLEM = ("Content-Type", "application/problem+json")
