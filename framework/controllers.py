"""Tags for controllers and their handlers; a handler stays a plain function to call in a test."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from framework.components import Member, tag, tag_of, tagged_members
from framework.startup import Problem, location

_PREFIX = "__controller__"
ROUTES = "__routes__"

Handler = TypeVar("Handler")
Class = TypeVar("Class", bound=type)


@dataclass(frozen=True)
class Route:
    """Say which handler answers which method and path."""

    method: str
    rule: str
    status: int | None
    controller: type
    name: str
    # A plain function that takes the controller first, or the object of a static method.
    function: Callable[..., object]
    where: str


def controller(prefix: str = "/") -> Callable[[Class], Class]:
    """Tag a class as a controller whose paths all start with the prefix."""
    if not isinstance(prefix, str):
        raise TypeError(_no_path("controller", prefix))

    def decorate(target: Class) -> Class:
        tag(target, _PREFIX, prefix)
        return target

    return decorate


def get(path: str = "/", *, status: int | None = None) -> Callable[[Handler], Handler]:
    """Tag a method as the handler of GET, and of HEAD where no other is."""
    return _verb("GET", path, status)


def post(path: str = "/", *, status: int | None = None) -> Callable[[Handler], Handler]:
    """Tag a method as the handler of POST."""
    return _verb("POST", path, status)


def put(path: str = "/", *, status: int | None = None) -> Callable[[Handler], Handler]:
    """Tag a method as the handler of PUT."""
    return _verb("PUT", path, status)


def patch(path: str = "/", *, status: int | None = None) -> Callable[[Handler], Handler]:
    """Tag a method as the handler of PATCH."""
    return _verb("PATCH", path, status)


def delete(path: str = "/", *, status: int | None = None) -> Callable[[Handler], Handler]:
    """Tag a method as the handler of DELETE."""
    return _verb("DELETE", path, status)


def head(path: str = "/", *, status: int | None = None) -> Callable[[Handler], Handler]:
    """Tag a method as the handler of HEAD, in place of GET's without its body."""
    return _verb("HEAD", path, status)


def options(path: str = "/", *, status: int | None = None) -> Callable[[Handler], Handler]:
    """Tag a method as the handler of OPTIONS, in place of the automatic answer."""
    return _verb("OPTIONS", path, status)


def is_controller(target: type) -> bool:
    """Tell whether this very class, not just a base of it, is tagged as a controller."""
    return _PREFIX in vars(target)


def routes_of(controller: type, problems: list[Problem]) -> list[Route]:
    """List the routes of a controller, inherited ones included."""
    routes = [
        _route(controller, member, entry)
        for member in tagged_members(controller, ROUTES)
        for entry in _entries(member.tag)
    ]
    problems += [_bad_status(route) for route in routes if not is_status(route.status)]
    if not routes:
        problems.append(_no_routes(controller))
    return routes


def is_status(status: int | None) -> bool:
    """Tell whether a decorator may be given this status; None leaves it out."""
    # What type checkers refuse is refused here, too.
    given: object = status
    return given is None or (isinstance(given, int) and 200 <= given <= 599)


def verbs(tagged: object) -> list[str]:
    """List the decorators of a tag as they are written, without their paths."""
    return [f"@{each.method.lower()}" for each in _entries(tagged)]


@dataclass(frozen=True)
class _Entry:
    """Keep what one verb decorator said."""

    method: str
    path: str
    status: int | None


def _verb(method: str, path: str, status: int | None) -> Callable[[Handler], Handler]:
    name = method.lower()
    if not isinstance(path, str):
        raise TypeError(_no_path(name, path))

    def decorate(handler: Handler) -> Handler:
        if not (callable(handler) or isinstance(handler, staticmethod | classmethod)):
            raise TypeError(
                f"@{name} belongs on a method, not on a {type(handler).__name__}:"
                f" write def below @{name}({path!r})"
            )
        # Decorators apply from below, readers read from above.
        tag(handler, ROUTES, (_Entry(method, path, status), *_entries(tag_of(handler, ROUTES))))
        return handler

    return decorate


def _no_path(name: str, given: object) -> str:
    # Without parentheses, a decorator is given what it decorates.
    if callable(given):
        return f'@{name} takes a path, and is written without one: write @{name}("/")'
    return f'@{name} takes a path, not {given!r}: write @{name}("/")'


def _entries(tagged: object) -> tuple[_Entry, ...]:
    return tagged if isinstance(tagged, tuple) else ()


def _route(controller: type, member: Member, entry: _Entry) -> Route:
    return Route(
        method=entry.method,
        rule=_join(str(tag_of(controller, _PREFIX) or ""), entry.path),
        status=entry.status,
        controller=controller,
        name=member.name,
        function=member.function,
        where=_where(controller, member),
    )


def _where(controller: type, member: Member) -> str:
    """Describe a handler; one that a decorator made by what it is called on the class, too."""
    name = getattr(inspect.unwrap(member.function), "__qualname__", "")
    place = location(member.function)
    if name.rpartition(".")[2] == member.name:
        return place
    return f"{controller.__name__}.{member.name}, which is {place}"


def _join(prefix: str, path: str) -> str:
    if not path:
        return "/" + prefix.removeprefix("/")
    joined = prefix.removesuffix("/") + "/" + path.removeprefix("/")
    return "/" + joined.removeprefix("/")


def _bad_status(route: Route) -> Problem:
    return Problem(
        route.where,
        f"the status {route.status!r} of {route.method} {route.rule} is no final HTTP status",
        "Give a number from 200 to 599, or leave it out.",
    )


def _no_routes(controller: type) -> Problem:
    return Problem(
        location(controller),
        "this controller has no routes",
        "Decorate a method with @get, @post or another verb. A decorator above a verb hides it"
        " unless it uses functools.wraps.",
    )
