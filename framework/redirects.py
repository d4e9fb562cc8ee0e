"""Redirects, which leave the site only where the code says so."""

import re
from urllib.parse import urlsplit

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

# A browser drops tabs and line breaks anywhere in a URL, and reads a backslash as a slash. A
# surrogate, which is half a character, cannot be sent.
_MISREAD = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_STATUSES = (301, 302, 303, 307, 308)


def redirect(
    target: str, *, status: int = 303, otherwise: str | None = None, external: bool = False
) -> Response:
    """Send the client to a path of this site, such as `url_for` builds.

    A target that is not a local path is refused with 400, or replaced by `otherwise` if that is
    given. With `external`, an http or https URL of another site is allowed, too: such a URL must
    not come from the client.
    """
    if status not in _STATUSES:
        raise ValueError(
            f"{status!r} is not a redirect; use one of {', '.join(map(str, _STATUSES))}"
        )
    if otherwise is not None and not _fits(otherwise, external=external):
        raise ValueError(f"otherwise is {otherwise!r}; give a path of this site, such as '/'")
    chosen = target if _fits(target, external=external) else otherwise
    if chosen is None:
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


def _refusal(target: str, *, external: bool) -> str:
    if external:
        return f"The redirect to {target!r} is refused: it is neither a path nor an http(s) URL."
    return (
        f"The redirect to {target!r} is refused: it is not a path of this site,"
        " which begins with a single slash."
    )
