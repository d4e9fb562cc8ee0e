"""The decorators of classes and methods.

A decorator only tags a class or a method, so a handler stays a plain function. Start-up reads the
tags: `injection` reads components, `http` reads routes, and `around` reads guards and exception
handlers.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, overload

from werkzeug.exceptions import default_exceptions

from framework.advice.arguments import (
    OF_CATCH,
    OF_COMPONENTS,
    OF_CONTROLLERS,
    OF_VERBS,
    explains_arguments,
)
from framework.advice.other_frameworks import refusing
from framework.types.members import Member, tag, tag_of, tagged_members

COMPONENT = "__component__"
CONTROLLER = "__controller__"
ROUTES = "__routes__"
GUARDS = "__guards__"
CATCHES = "__catches__"
_CONFIGURATION = "__configuration__"

Scope = Literal["application", "request"]
Target = TypeVar("Target")
Class = TypeVar("Class", bound=type)
Method = TypeVar("Method", bound=Callable[..., object])


@dataclass(frozen=True)
class Verb:
    """Keep the arguments of one verb decorator, such as `@get`."""

    method: str
    path: str
    status: int | None


@dataclass(frozen=True)
class Catch:
    """Keep the arguments of one `@catch`."""

    types: tuple[type[Exception], ...]
    status: int | None
    # The names of the handlers for which the method answers; empty for all handlers.
    of: tuple[str, ...] = ()


def _explained(verb: str) -> Callable[[Target], Target]:
    explains: Any = explains_arguments(f"@{verb}", f'@{verb}("/", status=201)', OF_VERBS)
    return cast(Callable[[Target], Target], explains)


@explains_arguments("@controller", '@controller("/users")', OF_CONTROLLERS)
def controller(prefix: str = "/") -> Callable[[Class], Class]:
    """Tag a class as a controller whose paths all start with the prefix."""
    if not isinstance(prefix, str):
        raise TypeError(_not_a_path("controller", prefix))

    def decorate(target: Class) -> Class:
        tag(target, CONTROLLER, prefix)
        return target

    return decorate


@_explained("get")
def get(path: str = "/", *, status: int | None = None) -> Callable[[Target], Target]:
    """Tag a method as the handler of GET, and of HEAD if no other handler has HEAD."""
    return _verb("GET", path, status)


@_explained("post")
def post(path: str = "/", *, status: int | None = None) -> Callable[[Target], Target]:
    """Tag a method as the handler of POST."""
    return _verb("POST", path, status)


@_explained("put")
def put(path: str = "/", *, status: int | None = None) -> Callable[[Target], Target]:
    """Tag a method as the handler of PUT."""
    return _verb("PUT", path, status)


@_explained("patch")
def patch(path: str = "/", *, status: int | None = None) -> Callable[[Target], Target]:
    """Tag a method as the handler of PATCH."""
    return _verb("PATCH", path, status)


@_explained("delete")
def delete(path: str = "/", *, status: int | None = None) -> Callable[[Target], Target]:
    """Tag a method as the handler of DELETE."""
    return _verb("DELETE", path, status)


@_explained("head")
def head(path: str = "/", *, status: int | None = None) -> Callable[[Target], Target]:
    """Tag a method as the handler of HEAD; without it, the handler of GET answers HEAD."""
    return _verb("HEAD", path, status)


@_explained("options")
def options(path: str = "/", *, status: int | None = None) -> Callable[[Target], Target]:
    """Tag a method as the handler of OPTIONS, in place of the automatic answer."""
    return _verb("OPTIONS", path, status)


@overload
def component(target: Target, /) -> Target: ...
@overload
def component(*, scope: Scope) -> Callable[[Target], Target]: ...


@explains_arguments("@component", '@component or @component(scope="request")', OF_COMPONENTS)
def component(target: Any = None, /, *, scope: Scope = "application") -> Any:
    """Tag a class as a component, or a configuration's method as the provider of a component.

    A component is built once, at start-up, and given to every constructor with a parameter of its
    type. With `scope="request"`, each request that needs the component builds it once. A method
    provides its return type. A method can be a generator: the code after its `yield` runs when the
    component ends.
    """
    if scope not in get_args(Scope):
        raise TypeError(
            f'the scope {scope!r} does not exist. Fix: write "application" or "request"'
        )
    if target is not None and not _is_definition(target):
        raise TypeError(
            f"@component takes no {target!r}. Fix: write @component alone above a class or a"
            ' method, or @component(scope="request")'
        )

    def decorate(target: Any) -> Any:
        tag(target, COMPONENT, scope)
        return target

    return decorate if target is None else decorate(target)


@overload
def service(target: Class, /) -> Class: ...
@overload
def service(*, scope: Scope) -> Callable[[Class], Class]: ...


@explains_arguments("@service", '@service or @service(scope="request")', OF_COMPONENTS)
def service(target: Any = None, /, *, scope: Scope = "application") -> Any:
    """Tag a class as a component that does the application's work."""
    return component(scope=scope) if target is None else component(scope=scope)(target)


@overload
def repository(target: Class, /) -> Class: ...
@overload
def repository(*, scope: Scope) -> Callable[[Class], Class]: ...


@explains_arguments("@repository", '@repository or @repository(scope="request")', OF_COMPONENTS)
def repository(target: Any = None, /, *, scope: Scope = "application") -> Any:
    """Tag a class as a component that keeps the application's data."""
    return component(scope=scope) if target is None else component(scope=scope)(target)


@explains_arguments("@configuration", "@configuration alone, without parentheses")
def configuration(target: Class) -> Class:
    """Tag a class whose `@component` methods provide components."""
    if not isinstance(target, type):
        raise TypeError(
            f"@configuration takes no {target!r}. Fix: write @configuration alone above a class"
        )
    tag(target, _CONFIGURATION, True)
    return target


@explains_arguments("@guard", '@guard(LoggedIn) or @guard(Role("admin"))')
def guard(*guards: object) -> Callable[[Target], Target]:
    """Add guards to handlers: a request passes only if `check` of each guard returns True.

    A guard is an object, or a class whose constructor can take components. On a controller, the
    guard is for all handlers of the controller; on a configuration, for all handlers of the
    application. Subclasses inherit the guard.
    """
    _require_guards(guards)

    def decorate(target: Target) -> Target:
        # Python applies the lowest decorator first, but the highest one comes first in the list.
        tag(target, GUARDS, (*guards, *guards_on(target)))
        return target

    return decorate


@explains_arguments("@catch", "@catch(LookupError, status=404)", OF_CATCH)
def catch(
    *types: type[Exception],
    status: int | None = None,
    of: Callable[..., object] | Sequence[Callable[..., object]] = (),
) -> Callable[[Method], Method]:
    """Make a method the exception handler for these types of errors.

    In a controller, the method answers for the handlers of the controller; in a configuration, for
    all handlers. If several methods catch an error, the method with the most specific type answers.
    For the same type, a method of the controller comes before a method of a configuration. The
    parameters are bound like the parameters of a handler, but a parameter annotated with an
    exception takes the error. The result is the answer. An HTTP error keeps its own status unless
    `status` or a Response gives another status. With `of`, the method answers only for these
    handlers of its controller.
    """
    _require_exceptions(types)
    names = _names_of(of)

    def decorate(method: Method) -> Method:
        # Python applies the lowest decorator first, but the highest one comes first in the list.
        tag(method, CATCHES, (Catch(types, status, names), *catches_in(tag_of(method, CATCHES))))
        return method

    return decorate


def is_controller(target: type) -> bool:
    """Return whether this class itself, not only a base class, is tagged as a controller."""
    return CONTROLLER in vars(target)


def is_component(target: type) -> bool:
    """Return whether this class itself, not only a base class, is tagged as a component."""
    return COMPONENT in vars(target)


def is_configuration(target: type) -> bool:
    """Return whether this class itself, not only a base class, is tagged as a configuration."""
    return _CONFIGURATION in vars(target)


def is_decorated(target: type) -> bool:
    """Return whether this class itself is tagged as a part of an application."""
    return is_controller(target) or is_component(target) or is_configuration(target)


def scope_of(target: type) -> str:
    """Return the scope of the components of a class: `application` or `request`."""
    return str(vars(target).get(COMPONENT, "application"))


def component_methods(target: type) -> list[Member]:
    """List the methods that provide components, including inherited and overridden methods."""
    return list(tagged_members(target, COMPONENT))


def guards_on(target: object) -> tuple[object, ...]:
    """List the guards that `@guard` put on a class or a method; the outermost is first."""
    tagged: Any = tag_of(target, GUARDS)
    return tagged or ()


def verbs_in(tagged: object) -> tuple[Verb, ...]:
    """Return the verbs that decorators such as `@get` stored in a tag, or () if there are none."""
    return tagged if isinstance(tagged, tuple) else ()


def catches_in(tagged: object) -> tuple[Catch, ...]:
    """Return what each `@catch` stored in a method's tag, or () if the method has no `@catch`."""
    return tagged if isinstance(tagged, tuple) else ()


def is_status(status: int | None) -> bool:
    """Return whether a decorator may be given this status; None means that no status is given."""
    # A user without a type checker may give any type.
    given: object = status
    return given is None or (isinstance(given, int) and 200 <= given <= 599)


def _verb(method: str, path: str, status: int | None) -> Callable[[Target], Target]:
    name = method.lower()
    if not isinstance(path, str):
        raise TypeError(_not_a_path(name, path))

    def decorate(handler: Target) -> Target:
        if isinstance(handler, type):
            raise TypeError(
                f"@{name} decorates a method, but stands above the class {handler.__name__}."
                f' Fix: write @controller({path!r}) above the class, and @{name}("/") above its'
                " methods"
            )
        if not (callable(handler) or isinstance(handler, staticmethod | classmethod)):
            raise TypeError(
                f"@{name} decorates a method, but stands above a {type(handler).__name__}."
                f" Fix: write `def` below @{name}({path!r})"
            )
        # Python applies the lowest decorator first, but the highest one comes first in the list.
        tag(handler, ROUTES, (Verb(method, path, status), *verbs_in(tag_of(handler, ROUTES))))
        return handler

    return decorate


def _is_definition(target: object) -> bool:
    return callable(target) or isinstance(target, staticmethod | classmethod | property)


def _not_a_path(name: str, given: object) -> str:
    # A decorator that is written without parentheses is called with the decorated function.
    if callable(given):
        return f'@{name} is written without a path. Fix: write @{name}("/")'
    if isinstance(given, list | tuple) and given:
        lines = " ".join(f"@{name}({path!r})" for path in given)
        return f"@{name} takes one path, not {given!r}. Fix: write one decorator for each: {lines}"
    return f'@{name} takes a path, not {given!r}. Fix: write @{name}("/")'


def _require_guards(guards: Sequence[object]) -> None:
    if not guards:
        raise TypeError("@guard takes at least one guard. Fix: write @guard(LoggedIn)")
    for number, given in enumerate(guards):
        if not callable(getattr(given, "check", None)):
            raise TypeError(_not_a_guard(given, guards[:number]))


def _not_a_guard(given: object, before: Sequence[object]) -> str:
    message = "@guard takes classes or instances that have a method check, not"
    # A decorator that is written without parentheses is called with the decorated function.
    if inspect.isroutine(given) or isinstance(given, staticmethod | classmethod):
        name = f"{getattr(given, '__name__', given)}()"
        return (
            f"{message} the function {name}. Fix: if {name} is the handler, write"
            f" @guard(LoggedIn) above it; if {name} is the guard, make it the method check of a"
            " class"
        )
    if isinstance(given, type) and _is_guarded(given):
        return f"{message} {given!r}, which is the class to guard. Fix: write @guard(LoggedIn)"
    if isinstance(given, type):
        return f"{message} {given!r}. Fix: write `def check(self) -> bool:` in {given.__name__}"
    if before and isinstance(before[-1], type):
        made = f"{before[-1].__name__}({given!r})"
        return f"{message} {given!r}. Fix: if {given!r} is for the guard, write @guard({made})"
    return f"{message} {given!r}. Fix: write a class LoggedIn with a method check(self) -> bool"


def _is_guarded(given: type) -> bool:
    """Return whether a class has handlers, or is a controller or a configuration."""
    has_routes = any(True for _ in tagged_members(given, ROUTES))
    return has_routes or is_controller(given) or is_configuration(given)


def _require_exceptions(types: Sequence[object]) -> None:
    if not types:
        raise TypeError("@catch takes at least one exception. Fix: write @catch(LookupError)")
    for given in types:
        if not (isinstance(given, type) and issubclass(given, Exception)):
            raise TypeError(_not_an_exception(given))


def _names_of(handlers: object) -> tuple[str, ...]:
    """Return the names of the handlers in `@catch(..., of=handlers)`: one method or a list."""
    given = (
        handlers if isinstance(handlers, Sequence) and not isinstance(handlers, str) else [handlers]
    )
    names = [getattr(handler, "__name__", None) for handler in given]
    if None in names:
        raise TypeError(
            f"of={handlers!r} is not a handler. Fix: write the method itself, without quotes and"
            " below its definition, as in @catch(InvalidRequest, of=login)"
        )
    return tuple(map(str, names))


def _not_an_exception(given: object) -> str:
    # A decorator that is written without parentheses is called with the decorated function.
    if inspect.isroutine(given) or isinstance(given, staticmethod | classmethod):
        return "@catch is written without an exception. Fix: write @catch(LookupError)"
    message = f"@catch takes subclasses of Exception, not {given!r}"
    if isinstance(given, type) and issubclass(given, BaseException):
        what = "which is more than an error of one request"
        return f"{message}, {what}. Fix: leave {given.__name__} out"
    if isinstance(given, Exception):
        return f"{message}. Fix: write @catch({type(given).__name__})"
    if isinstance(given, int) and given in default_exceptions:
        name = default_exceptions[given].__name__
        remedy = f"write @catch({name}), and import it: from werkzeug.exceptions import {name}"
        return f"{message}. Fix: {remedy}"
    return f"{message}. Fix: write each exception by itself, as in @catch(LookupError, OSError)"


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
