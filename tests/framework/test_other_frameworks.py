"""Names and arguments of other frameworks: each is refused with the right spelling."""

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import framework
from framework import (
    Application,
    catch,
    component,
    controller,
    cookie,
    delete,
    form,
    get,
    guard,
    head,
    header,
    options,
    patch,
    post,
    put,
    query,
    repository,
    service,
    session_value,
)
from framework.advice import objects, other_frameworks
from framework.advice.other_frameworks import advice_on_attribute, advice_on_import
from sessions import names
from tests.support.small_applications import echo_of

ROOT = Path(framework.__file__).parents[1]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Flask", "app = Application(Users)"),
        ("APIRouter", '@controller("/prefix")'),
        ("route", '@get("/")'),
        ("jsonify", "return the dict"),
        ("JSON", "from framework.results import JSON"),
        ("HTML", "from framework.results import HTML"),
        ("send_file", "werkzeug.utils.send_file(path, request.environ)"),
        ("HTTPException", "from werkzeug.exceptions import NotFound"),
        ("Depends", "Inject[...]"),
        ("WebSocket", "are not supported"),
        ("request", "request: Request"),
        ("CORS", "from framework.cors import CORS"),
        ("SessionContainer", "from sessions import SessionContainer"),
        ("Aplication", "did you mean 'Application'?"),
        ("qurey", "did you mean 'query'?"),
    ],
)
def test_an_import_of_a_foreign_name_says_what_to_write(name: str, remedy: str) -> None:
    """The error is an ImportError for an import, and an AttributeError for an attribute."""
    with pytest.raises(ImportError, match=f"framework has no {name}") as imported:
        exec(f"from framework import {name}")  # noqa: S102
    with pytest.raises(AttributeError) as asked:
        getattr(framework, name)

    assert remedy in str(imported.value)
    assert str(asked.value) == str(imported.value)
    assert not hasattr(framework, name)


def test_an_import_of_any_other_name_fails_as_usual() -> None:
    """An unknown name has Python's own message, and a submodule can be imported."""
    with pytest.raises(ImportError, match="cannot import name 'xylophone' from 'framework'"):
        exec("from framework import xylophone")  # noqa: S102

    exec("from framework import templates, redirects")  # noqa: S102


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("from framework.templates import render_template", "framework.templates import Templates"),
        ("from framework.testing import TestClient", "with app.test() as client"),
        ("from framework.results import JSONResponse", "return the dict"),
        ("from framework.middleware import CORSMiddleware", "from framework.cors import CORS"),
        ("from framework.decorators import route", '@get("/")'),
        ("from framework.openapi import Router", '@controller("/prefix")'),
        ("from framework.redirects import url_for", "app.url_for(...)"),
        ("from framework.settings import Config", "@configuration"),
        ("from framework.static import controller", "write `from framework import controller`"),
        (
            "from sessions import SessionMiddleware",
            "import SessionMiddleware` or `from sessions.asgi import",
        ),
        (
            "from sessions import DynamoStore",
            "write `from sessions import SQLiteStore`, `from sessions import MemoryStore`",
        ),
        ("from sessions import controller", "write `from framework import controller`"),
        ("from sessions.stores import SQLiteStore", "write `from sessions import SQLiteStore`"),
    ],
)
def test_an_import_from_the_wrong_module_says_what_to_write(line: str, remedy: str) -> None:
    """Every public module has remedies for the names that it lacks."""
    with pytest.raises(ImportError) as caught:
        exec(line)  # noqa: S102

    assert ". Fix: " in str(caught.value)
    assert remedy in str(caught.value)
    _, module, _, name = line.split()
    assert not hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize("module", ["framework.results", "sessions", "sessions.stores"])
def test_an_unknown_name_of_a_module_fails_as_usual(module: str) -> None:
    """An unknown name has Python's own message."""
    with pytest.raises(ImportError, match=f"cannot import name 'xylophone' from '{module}'"):
        exec(f"from {module} import xylophone")  # noqa: S102


def test_every_import_that_a_message_names_works() -> None:
    """A message names only modules and names that exist."""
    files = (other_frameworks.__file__, objects.__file__, names.__file__)
    told = "".join(Path(file).read_text(encoding="utf-8") for file in files)
    named = re.findall(r"from ((?:framework|sessions|werkzeug)[\w.]*) import (\w+)", told)

    assert len(named) > 10
    for module, name in named:
        assert hasattr(importlib.import_module(module), name), (module, name)


def test_no_public_name_is_treated_as_a_foreign_name() -> None:
    """The tables contain no public name, submodule or attribute of ours."""
    modules = [module.name for module in pkgutil.iter_modules(framework.__path__)]
    application = Application(echo_of(int))

    assert [name for name in (*framework.__all__, *modules) if advice_on_import(name, ())] == []
    attributes = {*dir(application), *vars(application)}
    assert [name for name in attributes if other_frameworks.is_of_another_framework(name)] == []


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("route", '@get("/")'),
        ("add_middleware", "list[Middleware]"),
        ("include_router", "Application(Users, Orders)"),
        ("errorhandler", "@catch(SomeError)"),
        ("on_event", "on_start"),
        ("urlfor", "did you mean 'url_for'?"),
        ("add", "Application(Users, Orders)"),
        ("controller", "write `from framework import controller`"),
        ("jsonify", "return the dict"),
        ("mount", "StaticFiles"),
        ("enableCors", "from framework.cors import CORS"),
        ("useGlobalPipes", "annotate the parameters"),
        ("setGlobalPrefix", '@controller("/api/users")'),
        ("add_singleton", "@component"),
        ("url_map", "framework routes"),
        ("jinja_env", "Templates"),
        ("asgi", "uvicorn --interface wsgi"),
    ],
)
def test_an_attribute_of_another_application_says_what_to_write(name: str, remedy: str) -> None:
    """The verbs are decorators, and not methods of the application."""
    application = Application(echo_of(int))

    with pytest.raises(AttributeError, match=f"an Application has no attribute '{name}'") as caught:
        getattr(application, name)

    assert remedy in str(caught.value)


@pytest.mark.parametrize("name", ["secret_key", "config", "session_interface"])
def test_a_setting_of_another_application_is_not_lost(name: str) -> None:
    """A setting without an effect is refused."""
    application = Application(echo_of(int))

    with pytest.raises(AttributeError, match="SessionContainer"):
        setattr(application, name, "value")


def test_an_unknown_attribute_is_not_there() -> None:
    """hasattr and getattr work as usual."""
    application = Application(echo_of(int))

    assert not hasattr(application, "route")
    assert getattr(application, "__deepcopy__", None) is None
    assert advice_on_attribute("xylophone", ()).startswith(
        "an Application has no attribute 'xylophone'. Fix: write handlers, components and settings"
    )


VERBS: tuple[Callable[..., Any], ...] = (get, post, put, patch, delete, head, options)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (
            {"status_code": 201},
            "has no argument 'status_code'. Fix: the argument is called status.",
        ),
        ({"methods": ["GET"]}, "one decorator for each method"),
        ({"stauts": 201}, "did you mean 'status'? Fix: write @"),
        ({"response_model": int}, "the return annotation"),
        ({"xylophone": 1}, "has no argument 'xylophone'. Fix: write @"),
    ],
)
def test_a_verb_says_what_to_write_in_place_of_an_argument(
    verb: Callable[..., Any], arguments: dict[str, Any], remedy: str
) -> None:
    """The message names the verb, the argument and the remedy."""
    with pytest.raises(TypeError) as caught:
        verb("/", **arguments)

    assert str(caught.value).startswith(f"@{verb.__name__} has no argument")
    assert remedy in str(caught.value)


CALLS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    (get, ("/", "GET"), {}, "@get has arguments that do not fit. Fix: write @get("),
    (controller, (), {"path": "/x"}, "the prefix is the first argument"),
    (component, (), {"name": "x"}, "a component is found by its type"),
    (service, (), {"singleton": True}, "the argument is called scope"),
    (repository, (), {"scop": "request"}, "did you mean 'scope'?"),
    (catch, (LookupError,), {"status_code": 1}, "the argument is called status"),
    (guard, (), {"role": "admin"}, '@guard(Role("admin"))'),
    (query, (1, 2), {}, 'query("page_size", ge=1)'),
    (header, (1, 2), {}, 'header("X-Token")'),
    (cookie, (1, 2), {}, 'cookie("theme")'),
    (form, (1, 2), {}, 'form("name", max_length=80)'),
    (session_value, (), {}, 'session_value("cart")'),
    (session_value, ("cart",), {"default": 1}, "the default after the annotation"),
    (Application, (), {"controllers": []}, "give the classes one by one"),
    (Application, (), {"secret_key": "x"}, "SessionContainer"),
]


@pytest.mark.parametrize(("call", "args", "kwargs", "remedy"), CALLS)
def test_a_function_says_what_to_write_in_place_of_an_argument(
    call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], remedy: str
) -> None:
    """The message has a remedy for the argument's name in other frameworks."""
    with pytest.raises(TypeError) as caught:
        call(*args, **kwargs)

    assert remedy in str(caught.value)


def test_importing_the_name_of_the_distribution_is_explained() -> None:
    """`import satsuma` names the two packages."""
    command = [sys.executable, "-c", "import satsuma"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert "write `from framework import Application" in done.stderr
