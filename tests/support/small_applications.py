"""Small applications that try one handler or one set of classes."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import werkzeug.test

from framework import StartupError, controller, post
from framework.binding.form import is_upload
from framework.decorators import get
from framework.report import Mistake
from framework.testing import Client, open_client

REQUIRED = inspect.Parameter.empty


@contextmanager
def client_of(*parts: type | ModuleType) -> Iterator[Client]:
    """Return a client of an application of the parts, with sessions in memory."""
    with open_client(parts, ()) as client:
        yield client


def problems_of(*parts: type | ModuleType) -> tuple[Mistake, ...]:
    """Return the mistakes that the start-up of the parts reports."""
    try:
        with client_of(*parts):
            return ()
    except StartupError as error:
        return error.problems


def only_problem_of(*classes: type) -> Mistake:
    """Return the only mistake that the start-up of the classes reports."""
    (problem,) = problems_of(*classes)
    return problem


def echo_of(annotation: Any, default: Any = REQUIRED, path: str = "/") -> type:
    """Make a controller that answers with its parameter `x`, and with the name of its type."""

    @controller("/")
    class Echo:
        def echo(self, x: Any) -> Any:
            return {"x": x, "type": type(x).__name__}

        echo.__annotations__ = {} if annotation is REQUIRED else {"x": annotation}
        if default is not REQUIRED:
            echo.__defaults__ = (default,)
        echo = post(path)(echo if _reads_body(annotation) else get(path)(echo))

    return Echo


def passing_on(function: Callable[..., object]) -> Callable[..., object]:
    """Decorate a handler, in a module without the names of its annotations."""

    @functools.wraps(function)
    def wrapper(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return wrapper


def marked(marker: Any, annotation: Any) -> Any:
    """Return `marker[annotation]` for an annotation that type checkers do not know."""
    return marker[annotation]


def asked(echo: type, url: str, **options: Any) -> Any:
    """Return the answer of an `echo_of` controller to GET: the value, or all errors."""
    with client_of(echo) as client:
        # This client sends a Cookie header as it is given.
        verbatim = werkzeug.test.Client(client.app, use_cookies=False)
        return _read(verbatim.get(url, buffered=True, **options))


def posted(echo: type, body: bytes, content_type: str = "application/json") -> Any:
    """Return the answer of an `echo_of` controller to POST: the value, or all errors."""
    with client_of(echo) as client:
        return _read(client.post("/", data=body, content_type=content_type))


def _reads_body(annotation: Any) -> bool:
    """Return whether the annotation needs a body, which GET does not have."""
    metadata = getattr(annotation, "__metadata__", ())
    marked = {getattr(each, "source", None) for each in metadata} & {"body", "form"}
    return bool(marked) or is_upload(annotation)


def _read(response: Any) -> Any:
    if response.status_code == 200:
        return response.json["x"]
    if response.status_code == 422:
        return {error["where"]: error["what"] for error in response.json["errors"]}
    return response.status_code
