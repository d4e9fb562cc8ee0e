"""Errors for wrong arguments of a function: what to write instead."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from framework.report import did_you_mean

Function = TypeVar("Function", bound=Callable[..., object])


def explains_arguments(
    name: str, example: str, elsewhere: Mapping[str, str] = {}
) -> Callable[[Function], Function]:
    """Return a decorator: the TypeError for a wrong argument then says what to write.

    `name` is the function's name for the message, and `example` is a right call. `elsewhere` has
    the remedies for arguments that a similar function of another framework has.
    """

    def decorate(function: Function) -> Function:
        is_method = next(iter(inspect.signature(function).parameters), None) == "self"

        @functools.wraps(function)
        def explained(*args: Any, **kwargs: Any) -> object:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if is_method and not args:
                    raise TypeError(_of_the_class(function)) from None
                # An error that comes from inside of the function has another frame.
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise
                wrong = _wrong(function, kwargs, elsewhere, example)
            raise TypeError(f"{name} {wrong}")

        return cast(Function, explained)

    return decorate


def on_an_object(owner: str, name: str) -> str:
    """Return the remedy for a method that is called on its class, as in `Client.get("/")`."""
    if owner == "Application":
        return f"make an application first, app = Application(Users), and write app.{name}(...)"
    return f"make an object of {owner} first, and call {name}() on the object, not on the class"


def refuse_class(given: object, kind: type, name: str) -> None:
    """Raise TypeError if a method is called on its class, as in `Client.get("/")`."""
    if not isinstance(given, kind):
        raise TypeError(_of_the_class(getattr(kind, name)))


def _of_the_class(function: Callable[..., object]) -> str:
    owner, _, name = function.__qualname__.rpartition(".")
    return f"{owner}.{name}() is called on the class. Fix: {on_an_object(owner, name)}"


def _wrong(
    function: Callable[..., object],
    given: Mapping[str, object],
    elsewhere: Mapping[str, str],
    example: str,
) -> str:
    known = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name != "self"
    ]
    for argument in given:
        if argument in elsewhere:
            return f"has no argument {argument!r}. Fix: {elsewhere[argument]}."
        if argument not in known:
            guess = did_you_mean(argument, known) or "."
            return f"has no argument {argument!r}{guess} Fix: write {example}."
    return f"has arguments that do not fit. Fix: write {example}."


def _each(remedies: Mapping[str, str]) -> dict[str, str]:
    """Return the remedy of each name; a key of `remedies` is a line with several names."""
    return {name: remedy for names, remedy in remedies.items() for name in names.split()}


_STATUS = _each({"status_code code http_status success_status": "the argument is called status"})
_DOCUMENTED = _each(
    {
        "tags summary description operation_id responses deprecated include_in_schema": (
            "the OpenAPI document is made from the annotations and the docstring"
        ),
        "response_model returns response_class return_dto": (
            "the return annotation of the method says what it answers"
        ),
    }
)
_AROUND = _each(
    {
        "guards permissions permission_classes decorators auth": "write @guard(LoggedIn) beside it",
        "middleware before after before_request after_request": (
            "middleware is for the whole application: return it from a @component method annotated"
            " `-> list[Middleware]`"
        ),
        "dependencies": (
            "write @guard(...) for a check, or let the method take Annotated[T, SomeResolver]"
        ),
        "exception_handlers": "decorate a method with @catch(SomeError)",
    }
)
OF_VERBS = {
    **_STATUS,
    **_DOCUMENTED,
    **_AROUND,
    **_each(
        {
            "methods method http_method": "write one decorator for each method, as @get and @post",
            "rule route url uri value": "the path is the first argument",
            "name endpoint": "url_for finds the handler as Controller.method",
            "media_type content_type produces mimetype": (
                'return Response(body, mimetype="text/html") for another type'
            ),
            "headers": "return a Response for headers of your own",
            "strict_slashes": "the path is answered with and without a slash at its end",
            "defaults": "give the parameter of the method a default",
        }
    ),
}
OF_CONTROLLERS = {
    **_DOCUMENTED,
    **_AROUND,
    **_each(
        {
            "path url_prefix rule route url base_path value name": (
                "the prefix is the first argument"
            ),
            "version": "write the version into the prefix",
        }
    ),
}
OF_COMPONENTS = _each(
    {
        "name qualifier id": "a component is found by its type",
        "singleton lifetime lifecycle use_cache": "the argument is called scope",
        "provides interface bind_to implements as_type": (
            "let the class inherit from the type, or return it from a @component method"
        ),
        "primary default": "in a @component method, return the component that you choose",
    }
)
OF_CATCH = _STATUS
OF_RUN = _each(
    {
        "use_reloader": "the argument is called reload",
        "use_debugger": "the argument is called debug",
        "workers threads threaded processes": (
            "app.run() is for development; a server such as gunicorn has workers"
        ),
        "app address bind": "the first argument is the host",
    }
)
OF_REPLACE = _each({"to value instance new": "write replace(Mailer).to(fake)"})
OF_VALUES = _each(
    {
        "default default_factory": "write the default after the annotation, as in x: ... = 1",
        "type type_ annotation": "write the type of the value first in Annotated[T, ...]",
        "name alias": "the name is the first argument",
    }
)
OF_APPLICATIONS = _each(
    {
        "controllers route_handlers routes routers handlers urls components providers modules": (
            "give the classes one by one, or a module"
        ),
        "middleware middlewares": (
            "return the middleware from a @component method annotated `-> list[Middleware]`"
        ),
        "title version description openapi_config docs_url openapi_url": (
            "return an OpenAPI from a @component method"
        ),
        "on_startup on_shutdown lifespan on_start on_stop": (
            "write the methods on_start and on_stop in a @configuration"
        ),
        "exception_handlers": "decorate a method with @catch(SomeError)",
        "dependencies guards": "decorate a @configuration with @guard(...)",
        "secret_key config settings session session_container sessions": (
            "return a SessionContainer or HTTPSettings from a @component method of a @configuration"
        ),
        "static_folder static_url_path template_folder static_files_config template_config": (
            "return a Templates from a @component method; for files, write a class"
            ' @controller("/static") class Static(StaticFiles)'
        ),
        "import_name name root_path": "leave it out",
    }
)
