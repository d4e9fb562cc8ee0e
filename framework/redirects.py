"""Redirects to a path of this site, or to another site if the code passes `external=True`."""

import inspect
import logging
import re
import reprlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from framework.advice.other_frameworks import refusing

logger = logging.getLogger("framework")

# A browser drops tabs and line breaks anywhere in a URL, and reads a backslash as a slash. A
# surrogate, which is half a character, cannot be sent.
_MISREAD = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_STATUSES = (301, 302, 303, 307, 308)


def redirect(
    target: str, *, status: int = 303, otherwise: str | None = None, external: bool = False
) -> Response:
    """Send the client to a path of this site, such as a path from `url_for`.

    If the target is not a local path, the client is sent to `otherwise`; without `otherwise`, the
    answer is 400. With `external`, an http or https URL of another site is allowed, too: such a
    URL must not come from the client. After a 400, the log names the line that called `redirect`.
    """
    if status not in _STATUSES:
        raise ValueError(
            f"{status!r} is not a redirect. Fix: use one of {', '.join(map(str, _STATUSES))}"
        )
    if otherwise is not None and not _fits(otherwise, external=external):
        raise ValueError(
            f"otherwise={otherwise!r} is refused. Fix: give a path of this site, such as '/'"
        )
    chosen = target if _fits(target, external=external) else otherwise
    if chosen is None:
        _warn(target, external=external)
        raise BadRequest(_refusal(target, external=external))
    return Response(status=status, headers=[("Location", chosen)], content_type="text/plain")


def is_local(target: str) -> bool:
    """Return whether a target stays on the current site in every browser."""
    return (
        target.startswith("/") and not target.startswith("//") and _MISREAD.search(target) is None
    )


def _fits(target: str, *, external: bool) -> bool:
    return is_local(target) or (external and _is_web_url(target))


def _is_web_url(target: str) -> bool:
    if _MISREAD.search(target):
        return False
    try:
        parts = urlsplit(target)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    # The URL has an invalid bracket or port.
    except ValueError:
        return False


def _warn(target: str, *, external: bool) -> None:
    """Log the refused target, the line that called `redirect`, and the remedy."""
    frame = inspect.currentframe()
    # The caller of `redirect`, which has called this function.
    caller = frame and frame.f_back and frame.f_back.f_back
    where = f"{caller.f_code.co_filename}:{caller.f_lineno}" if caller else "the handler"
    # Either the client or the code has chosen the target.
    remedy = "give a path that begins with a single slash, or an http(s) URL"
    if not external:
        remedy = (
            "if the client chose the target, give otherwise='/'; if the code chose it and it is"
            " another site, write redirect(target, external=True)"
        )
    if re.fullmatch(r"\w[\w./-]*", target) and not re.fullmatch(r"\w+\.\w+", target):
        remedy = (
            f"if it is a path of this site, write redirect({'/' + target!r}); if it names a"
            f" handler, write redirect(app.url_for('Notes.{target}')) with the class; {remedy}"
            if target.isidentifier()
            else f"if it is a path of this site, write redirect({'/' + target!r}); {remedy}"
        )
    if re.fullmatch(r"\w+\.\w+", target):
        remedy = f"if it names a handler, write redirect(app.url_for({target!r})); {remedy}"
    message = "%s: redirect(%s) was answered with 400. Fix: %s"
    logger.warning(message, where, reprlib.repr(target), remedy)


def _refusal(target: str, *, external: bool) -> str:
    if external:
        return f"The redirect to {target!r} is refused: it is neither a path nor an http(s) URL."
    return (
        f"The redirect to {target!r} is refused: it is not a path of this site,"
        " which begins with a single slash."
    )


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
