"""The debugger of the development server, and the check that a request is for this machine.

The debugger shows code and runs code. Another site can let its own host name point to 127.0.0.1.
Then a page of that site could read the answers of the development server. But the requests of the
page have the host name of that site in the header `Host`. So requests with an unknown host are
refused.
"""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.debug import DebuggedApplication
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.sansio.utils import host_is_trusted

from framework.advice.our_frames import frames_of, is_deliberate, is_ours
from framework.application import Application
from framework.explaining.near_misses import near_misses
from framework.http.errors import refusing
from framework.serving.failures import is_our_file
from framework.serving.reloading import is_loopback
from framework.settings import HTTPSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LONGEST_SHOWN = 260
# To compare a path with every rule takes longer for a longer path.
_LONGEST_COMPARED = 1000


def debugged(application: Application, host: str) -> tuple["WSGIApplication", str | None]:
    """Return an application with the debugger around it, and the PIN that its console asks for."""
    application.debug = True
    application.dispatcher.unknown_path = lambda path: _unknown_path(application, path)
    # The console path is empty, because the application may have a path "/console".
    around = DebuggedApplication(
        _from_the_users_frames(application), evalex=True, console_path="", pin_logging=False
    )
    around.trusted_hosts.append(host)
    trusted = application.graph.get(HTTPSettings).trusted_hosts
    return for_this_machine(around, host, trusted), around.pin


def for_this_machine(
    application: "WSGIApplication", host: str, trusted: Sequence[str] = ()
) -> "WSGIApplication":
    """Answer 400 unless a request names this machine, the served address or a trusted host."""

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = environ.get("HTTP_HOST", "")
        if not asked or _is_known(asked, host, trusted):
            return application(environ, start_response)
        return refusing(_refused(asked))(environ, start_response)

    return guarded


def _is_known(asked: str, host: str, trusted: Sequence[str]) -> bool:
    try:
        name = (urlsplit(f"//{asked}").hostname or "").removesuffix(".")
    # The host has a bracket that does not close.
    except ValueError:
        return False
    # All names below localhost are of this machine: RFC 6761, 6.3.
    if is_loopback(name) or name.endswith(".localhost") or name == host.lower():
        return True
    # Werkzeug trusts every host where the list is empty.
    return bool(trusted) and host_is_trusted(name, [allowed.lower() for allowed in trusted])


def _refused(asked: str) -> BadRequest:
    return BadRequest(
        "The development server answers only requests to this machine, but the host of this request"
        f" is {asked[:_LONGEST_SHOWN]!r}. Fix: open the address that the server has printed, or put"
        " the host into trusted_hosts of HTTPSettings."
    )


def _unknown_path(application: Application, path: str) -> NotFound:
    """Return a 404 that names the most similar routes."""
    near = near_misses(path, application.routes) if len(path) <= _LONGEST_COMPARED else ()
    lines = [f"{miss.method} {miss.rule}: {miss.why}" for miss in near]
    if not lines:
        return NotFound(f"No route matches the path {path!r}; `framework routes` lists all routes.")
    return NotFound("\n".join([f"No route matches the path {path!r}. Similar routes:", *lines]))


def _from_the_users_frames(application: Application) -> "WSGIApplication":
    """Return an application that removes the framework's frames from the traceback of an error."""

    def shortened(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
        body: Iterable[bytes] = ()
        try:
            body = application(environ, start_response)
            # `yield from` would close the body, too.
            for chunk in body:  # noqa: UP028
                yield chunk
        # The debugger around this function shows the error.
        except Exception as error:
            _shorten(error)
            raise
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    return shortened


def _shorten(error: BaseException) -> None:
    """Shorten the traceback of an error, and of the errors that caused it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = _of_the_user(one.__traceback__)
            waiting += [one.__cause__, one.__context__]


def _of_the_user(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the framework's frames, unless the framework caused the error."""
    entries = list(frames_of(trace))
    last = max([at for at, entry in enumerate(entries) if not _is_ours(entry)], default=-1)
    is_said = bool(entries) and is_deliberate(entries[-1])
    if last == -1:
        return entries[-1 if is_said else 0] if entries else None
    if is_said:
        entries = entries[: last + 1]
    shortened: TracebackType | None = None
    for at, entry in reversed(list(enumerate(entries))):
        if at > last or not _is_ours(entry):
            shortened = TracebackType(shortened, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return shortened


def _is_ours(entry: TracebackType) -> bool:
    return is_ours(entry) or is_our_file(entry.tb_frame.f_code.co_filename)
