"""Carry the token in links and forms, for clients without cookies.

A URL is seen in histories, in logs and in the header Referer. So nothing uses this transport unless
`SessionContainer(transports=[...])` names it.
"""

import re
from functools import lru_cache
from html import escape
from urllib.parse import unquote_plus, urlsplit

from sessions.errors import ConfigurationError
from sessions.names import OF_TRANSPORTS, explains_settings
from sessions.transports.base import MOST_VALUES, Headers, Obstacle, RequestHead, Transport

FORM_LIMIT = 1024 * 1024
"""The bytes of an urlencoded form that is searched for a token."""

LONGEST_VALUE = 8000
"""The characters of a parameter's value that may be a token."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
# A browser removes or changes these characters, so the URL may lead to another origin than it says.
_UNSURE = re.compile(r"[\x00-\x1f\x7f\\]|^ | $")
_PORTS = {"http": ":80", "https": ":443"}


class Html(str):
    """A text that is HTML; a template engine that knows `__html__` does not escape the text."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


@explains_settings(OF_TRANSPORTS)
class URLTransport(Transport):
    """Carry the token in a parameter of URLs, and in a field of urlencoded forms.

    `session.rewrite(url)` returns the URL with the token, and `session.hidden_input()` returns the
    field. If a `CookieTransport` is listed before this transport, a client that sends cookies gets
    no token in links. A test cookie shows whether the client sends cookies; with `always_cookie`,
    no test cookie is sent. With `refuse_users`, a signed-in session is not accepted from a URL.
    """

    vary = ""
    has_obstacles = False
    in_links = True

    def __init__(
        self,
        parameter: str = "wSession",
        *,
        always_cookie: bool = False,
        refuse_users: bool = False,
        form_limit: int = FORM_LIMIT,
    ) -> None:
        problems = [
            *_parameter_problems(parameter),
            *_flag_problems("always_cookie", always_cookie),
            *_flag_problems("refuse_users", refuse_users),
            *_limit_problems(form_limit),
        ]
        if problems:
            raise ConfigurationError([f"URLTransport: {problem}" for problem in problems])
        self.parameter = parameter
        self.always_cookie = always_cookie
        self.refuse_users = refuse_users
        self.form_limit = form_limit

    def __repr__(self) -> str:
        return f"URLTransport(parameter={self.parameter!r})"

    def read(self, head: RequestHead) -> list[str]:
        values = self._values(head)
        # Too many values are not read. The empty token makes the caller call `obstacle`.
        return values if len(values) <= MOST_VALUES else [""]

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        # The links of the page carry the token, so no header carries it.
        return []

    def clear(self, head: RequestHead) -> Headers:
        return []

    def obstacle(self, head: RequestHead) -> Obstacle | None:
        count = len(self._values(head))
        if count <= MOST_VALUES:
            return None
        return Obstacle(
            "rejected",
            f"the request has {count} values of {self.parameter!r}, but at most {MOST_VALUES} are"
            " read, so this request has no session. Fix: send one value",
        )

    def rewritten(self, url: str, token: str, origin: str | None) -> str:
        """Return the URL with the token in its query, before the fragment.

        A URL of another origin is returned unchanged.
        """
        if not is_own(url, origin):
            return url
        address, hash_sign, fragment = url.partition("#")
        path, _, query = address.partition("?")
        if not address:
            return url
        rest, _ = take_out(query, self.parameter)
        joint = "&" if rest and not rest.endswith("&") else ""
        return f"{path}?{rest}{joint}{self.parameter}={token}{hash_sign}{fragment}"

    def hidden_input(self, token: str) -> Html:
        """Return the hidden field of a form with the token."""
        return Html(f'<input type="hidden" name="{self.parameter}" value="{escape(token)}">')

    def _values(self, head: RequestHead) -> list[str]:
        # An edge takes the parameter out of the query and the form, and keeps its values here.
        taken: dict[str, list[str]] | None = getattr(head, "taken", None)
        if taken is not None:
            return [*taken.get(self.parameter, ())]
        return take_out(head.query, self.parameter)[1]


def take_out(text: str, parameter: str) -> tuple[str, list[str]]:
    """Return a query or an urlencoded form without the parameter, and the parameter's values."""
    if parameter not in text and "%" not in text:
        return text, []
    rest: list[str] = []
    values: list[str] = []
    is_name = _spelling(parameter).fullmatch
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name == parameter or ("%" in name and is_name(name)):
            # A longer text cannot be a token, so it is not decoded.
            values.append(unquote_plus(value) if len(value) <= LONGEST_VALUE else value)
        else:
            rest.append(pair)
    return ("&".join(rest), values) if values else (text, [])


def spelled(parameter: str, percent: str = "%") -> str:
    """Return a pattern for a name in a URL, where each character can be an escape, such as `%61`.

    `percent` is a pattern for the sign of an escape. Source: RFC 3986, 2.1.
    """
    return "".join(f"(?:{re.escape(one)}|{percent}{_hexadecimal(one)})" for one in parameter)


def _hexadecimal(character: str) -> str:
    return "".join(
        digit if digit.isdigit() else f"[{digit}{digit.upper()}]" for digit in f"{ord(character):x}"
    )


@lru_cache
def _spelling(parameter: str) -> re.Pattern[str]:
    return re.compile(spelled(parameter))


def origin_of(head: RequestHead) -> str | None:
    """Return the origin of a request, such as `https://shop.example`, or None without a host."""
    host = head.header("Host")
    if not host:
        return None
    return _normal("https" if head.scheme in ("https", "wss") else "http", host)


def is_own(url: str, origin: str | None) -> bool:
    """Return whether a URL surely leads to this origin; True if the URL has no host."""
    if _UNSURE.search(url):
        return False
    try:
        scheme, host, *_ = urlsplit(url)
    # `urlsplit` cannot read the host.
    except ValueError:
        return False
    if not scheme and not host:
        # A browser reads "///x" as the host x.
        return not url.startswith("//")
    if not host or origin is None:
        return False
    return _normal(scheme or origin.partition(":")[0], host) == origin


def _normal(scheme: str, host: str) -> str:
    scheme = scheme.lower()
    return f"{scheme}://{host.lower().removesuffix(_PORTS.get(scheme, ' '))}"


def _parameter_problems(parameter: object) -> list[str]:
    if isinstance(parameter, str) and _NAME.fullmatch(parameter):
        return []
    return [
        f"parameter={parameter!r} is not the name of a parameter. Fix: begin with a letter, and use"
        " letters, digits, - and _"
    ]


def _flag_problems(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return []
    return [f"{name}={value!r} is not a bool. Fix: give True or False"]


def _limit_problems(limit: object) -> list[str]:
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return []
    return [
        f"form_limit={limit!r} is not a number of bytes. Fix: give a whole number of at least 0"
    ]
