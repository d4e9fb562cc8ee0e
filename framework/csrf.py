"""Protection from requests that a page of another site sends from a user's browser.

The middleware first reads the headers that the browser itself sets: Fetch Metadata, then Origin.
Without these headers, a token has to show that a page of this session made the request.
"""

import hmac
import logging
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING

from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Request, Response

from framework.advice.objects import OF_CSRF
from framework.advice.other_frameworks import refusing
from framework.http.context import context_of
from framework.http.forms import CSRF_FIELD
from framework.http.origins import as_written, host_of, own_origin, read_origins
from framework.middleware import SAFE_METHODS, ExplainedMiddleware, Next, session_of
from sessions.core.face import state_of
from sessions.core.ids import hash_of
from sessions.core.verbs import STORES_NOTHING
from sessions.errors import ConfigurationError
from sessions.names import explains_settings
from sessions.session import Session

HEADER = "X-CSRF-Token"

# The number of bytes; mask and secret together are 64 characters of base64.
_SIZE = 24


logger = logging.getLogger("framework")

_UNVOUCHED = (
    "%s %r was refused by CSRF, because it has no token, and its headers do not show that"
    " this site made it. This is logged once. Fix: if one of your forms sent it, write `<input"
    ' type="hidden" name="%s" value="{{ csrf_token() }}">` into the form'
    " of the template. Without a template, write `from framework.csrf import csrf_token`, call"
    " csrf_token(session) in the handler that makes the form, and write the result as the value of"
    " the input"
)


class Verdict(Enum):
    """Whether a page of this site made a request, as far as the request's headers show it."""

    OURS = auto()
    FOREIGN = auto()
    UNKNOWN = auto()


@explains_settings(OF_CSRF)
class CSRF(ExplainedMiddleware):
    """Middleware that refuses unsafe requests of a live session if no page of this site made them.

    An unsafe request is one that can change something, such as a POST. Pages of `trusted_origins`
    count as pages of this site. A session that ended or changed its id a moment ago counts as a
    live session. A request without a session is allowed from any site, unless `visitors` is true.
    A login form needs `visitors`, because the user has no session before the login. Raises
    ConfigurationError with every mistake in the settings.
    """

    def __init__(self, *, trusted_origins: Collection[str] = (), visitors: bool = False) -> None:
        self._trusted, mistakes = read_origins("CSRF.trusted_origins", trusted_origins)
        flag: object = visitors
        if not isinstance(flag, bool):
            mistakes.append(f"CSRF.visitors is {flag!r}. Fix: give True or False")
        if mistakes:
            raise ConfigurationError(mistakes)
        self._visitors = visitors
        self._has_told = False

    def __call__(self, request: Request, next: Next, /) -> Response:
        if request.method not in SAFE_METHODS:
            self._check(request)
        return next(request)

    def refusals(self, method: str) -> Iterator[tuple[int, str]]:
        """Yield the status and the reason of each refusal that a request of this method can get."""
        if method not in SAFE_METHODS:
            yield 403, "CSRF: another site made the request, or the token is from another session"

    def session_use(self, method: str) -> str | None:
        """Return how requests of a method use the session; None if they do not use the session."""
        if method in SAFE_METHODS:
            return None
        return "loaded if the site that made the request is uncertain; not changed"

    def _check(self, request: Request) -> None:
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        verdict = judge(site, origin, own_origin(request), self._trusted)
        if verdict is Verdict.OURS or _is_by_a_program(request):
            return
        if verdict is Verdict.FOREIGN and (self._visitors or _has_session(request)):
            raise Forbidden(_foreign(origin))
        if verdict is Verdict.UNKNOWN and _has_session(request):
            token = _sent_token(request)
            if token is None:
                self._tell(request)
            _require_token(session_of(request), token)
        elif verdict is Verdict.UNKNOWN and self._visitors and origin == "null":
            # Only a browser hides an origin, and a visitor has no session to bind a token to.
            raise Forbidden(_foreign(origin))

    def _tell(self, request: Request) -> None:
        """Log once how a form gets a token, because the form's author possibly forgot the token."""
        if not self._has_told:
            self._has_told = True
            logger.warning(_UNVOUCHED, request.method, request.path, CSRF_FIELD)


def judge(
    site: str | None, origin: str | None, own: str | None, trusted: Collection[str]
) -> Verdict:
    """Return whether a page of this site made a request.

    A page of a trusted origin counts as a page of this site. For other pages, Sec-Fetch-Site
    decides, or Origin if the request has no Sec-Fetch-Site.
    """
    written = None if origin is None else as_written(origin)
    if written in trusted:
        return Verdict.OURS
    if site is not None:
        return Verdict.OURS if site in ("same-origin", "none") else Verdict.FOREIGN
    # A browser sends "null" for a page that hides its origin.
    if origin is None or origin == "null":
        return Verdict.UNKNOWN
    if written is None or own is None:
        return Verdict.FOREIGN
    if written == own:
        return Verdict.OURS
    # A proxy may have changed the scheme.
    return Verdict.UNKNOWN if host_of(written) == host_of(own) else Verdict.FOREIGN


def csrf_token(session: Session) -> str:
    """Return a token for a session's forms.

    The token stays valid until a sign-in, or until the session gets a new id without a grace time.
    """
    # If the text stayed the same, an attacker could guess it letter by letter from the size of a
    # compressed page (the BREACH attack).
    mask = secrets.token_bytes(_SIZE)
    secret = _secret_of(hash_of(session.id))
    return urlsafe_b64encode(mask + _xor(mask, secret)).decode()


def is_csrf_token(session: Session, token: str) -> bool:
    """Return whether a token was made for this session."""
    try:
        sent = urlsafe_b64decode(token)
    except ValueError:
        return False
    unmasked = _xor(sent[:_SIZE], sent[_SIZE:])
    return any(hmac.compare_digest(unmasked, secret) for secret in _secrets(session))


def _is_by_a_program(request: Request) -> bool:
    session, manager = session_of(request), context_of(request).manager
    if manager is None:
        return False
    state = state_of(session)
    # No browser adds the header of a HeaderTransport by itself.
    is_by_a_program = manager.tokens.is_sent_by_programs(state)
    if is_by_a_program or len(state.brought) < 2:
        return is_by_a_program
    # The request has ids in a cookie and in a header. The live one of them counts.
    session.load()
    return manager.tokens.is_sent_by_programs(state)


def _has_session(request: Request) -> bool:
    session, manager = session_of(request), context_of(request).manager
    # Without a cookie or a token, the browser has added no rights of the user to the request. A
    # cookie may also be one of another system, with a session that moves here.
    if "Cookie" not in request.headers and not (
        manager and manager.tokens.is_sent_by_browsers(state_of(session))
    ):
        return False
    # The session may have ended after the page was loaded; the form still sends its old id. And
    # another site could add a second session to the request, whose logout would end both.
    return not session.is_new or state_of(session).standing in STORES_NOTHING


def _sent_token(request: Request) -> str | None:
    token = request.headers.get(HEADER)
    return request.form.get(CSRF_FIELD) if token is None else token


def _require_token(session: Session, token: str | None) -> None:
    if token is None:
        raise Forbidden(
            "This request has no CSRF token. Send the token of the page in the form field"
            f" {CSRF_FIELD} or in the header {HEADER}."
        )
    if not is_csrf_token(session, token):
        raise Forbidden(
            "The CSRF token of this request does not belong to this session: the page is older"
            " than the login. Load the page again and repeat the request."
        )


def _foreign(origin: str | None) -> str:
    return (
        f"This request was made by another site ({origin or 'its origin is hidden'}). If that"
        " site may make requests, add its origin to CSRF(trusted_origins=[...])."
    )


def _secrets(session: Session) -> Iterator[bytes]:
    """Yield the secrets from which the tokens in pages of the session were made."""
    yield _secret_of(hash_of(session.id))
    record = state_of(session).record
    # A page may be older than a renewal of the id, even the page whose own request renewed the id.
    # A sign-in, and a new id without a grace time, leave no earlier id here.
    if record is not None and record.grace is not None:
        yield _secret_of(record.grace.secret)


def _secret_of(id_hash: str) -> bytes:
    # The hash of the id is a secret of the session, and a new id changes it.
    return hmac.digest(id_hash.encode(), b"csrf token", "sha256")[:_SIZE]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
