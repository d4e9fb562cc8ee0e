"""Find the application that a command needs, and import it."""

import importlib
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeGuard, TypeVar

import click

from framework.application import Application
from framework.commands.folders import (
    advice_on,
    find_module,
    folders,
    hidden_file,
    is_below,
    prepare_path,
)
from framework.report import StartupError, readable_path
from framework.serving.failures import describe
from framework.types.signatures import signature_of
from sessions.container import SessionContainer
from sessions.core.transport_checks import without_warnings
from sessions.stores.base import without_password
from sessions.stores.sqlite_settings import making_files

_PYPROJECT = "pyproject.toml"
_NAME_THE_APPLICATION = (
    "name the application as the last argument, such as shop.app:app, or put"
    ' `app = "shop.app:app"` under [tool.framework]'
)
# The return annotations, as types or as texts, of a function that makes an application.
_FACTORY_RETURNS = (Application, "Application", "framework.Application")

Command = TypeVar("Command", bound=Callable[..., Any])


class Target(NamedTuple):
    """A module, and the name of an object in the module.

    The object is an application, or a function that makes an application.
    """

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


class ApplicationNotFound(click.ClickException):
    """Report that a command found no application, and tell what to do."""


def application_argument(command: Command) -> Command:
    """Add the application to a command, as its last, optional argument."""
    return click.argument("app", required=False, metavar="[module:app]")(command)


def json_option(command: Command) -> Command:
    """Add the option `--json` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")(
        command
    )


def find(given: str | None) -> Target:
    """Return where the application is, without importing the application."""
    text, source = _choose(given)
    if "://" in text:
        raise ApplicationNotFound(
            f"{source} names the URL {without_password(text)!r}, but this command needs an"
            " application. Fix: write module:name, such as shop.app:app."
        )
    if not re.fullmatch(r"\w+(\.\w+)*(:\w+)?", text) or text.endswith(".py"):
        raise ApplicationNotFound(
            f"{source} names the application as {text!r}. Fix: write module:name, such as"
            f" {_suggestion(text)}."
        )
    module, _, name = text.partition(":")
    prepare_path(module)
    _require(module, source)
    return Target(module, name or "app")


def load(target: Target) -> Application:
    """Import the application, or call the function that makes the application."""
    module = _imported(target.module)
    found = getattr(module, target.name, None)
    made = _call_factory(target, found) if _is_factory(found) else found
    if isinstance(made, Application):
        return made
    what = f"is {found!r}, which is not an Application"
    if _is_factory(found):
        what = f"returned {made!r}, which is not an Application"
    elif not hasattr(module, target.name):
        file = getattr(module, "__file__", None)
        what = "does not exist" if is_below(file) else f"does not exist in {file or 'Python'}"
    raise ApplicationNotFound(f"{target} {what}. Fix: {_remedy(target, vars(module))}.")


def load_or_report(given: str | None) -> Application:
    """Find and import the application; end with a report if the application cannot start."""
    target = find(given)
    try:
        # The server and `check` log the warnings.
        with without_warnings():
            return load(target)
    # The user's modules may raise anything; the report shows any error without our own frames.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        raise click.ClickException(report(target, error)) from None


def load_container_or_report(given: str | None, *, makes_files: bool = False) -> SessionContainer:
    """Return the session container of the application, or the container that `given` names.

    With `makes_files=False`, no store makes a missing file, because its path may be misspelt.
    """
    target = find(given)
    try:
        with without_warnings(), making_files(makes_files):
            named = getattr(_imported(target.module), target.name, None)
            if isinstance(named, SessionContainer):
                return named
            application = load(target)
    # The user's modules may raise anything; the report shows any error without our own frames.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        raise click.ClickException(report(target, error)) from None
    if application.sessions is None:
        raise click.ClickException(f"{target} has no sessions: no handler asks for one.")
    return application.sessions.container


def report(target: Target, error: BaseException) -> str:
    """Return the report of an error that keeps an application from starting."""
    if isinstance(error, StartupError | click.ClickException):
        return describe(error)
    return f"{target} cannot be imported:\n\n{describe(error)}"


def _require(module: str, source: str) -> None:
    """Refuse a module that does not exist, or that is hidden by another module."""
    found = find_module(module)
    hidden = hidden_file(module, found)
    if hidden is not None:
        raise ApplicationNotFound(
            f"{source} names the module {module!r}, but Python finds {_place(found)} instead of"
            f" {readable_path(str(hidden))}. Fix: rename {module.partition('.')[0]!r}, for example"
            f" to {module.partition('.')[0] + '_app'!r}."
        )
    if found is None:
        here, *sources = map(str, folders())
        looked = f"{here} and {sources[0]} hold" if sources else f"{here} holds"
        raise ApplicationNotFound(
            f"{source} names the module {module!r}, but {looked} no"
            f" {module.replace('.', '/')}.py. Fix: correct the name, or go to the folder of the"
            " module."
        )


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        advice = advice_on(error)
        if advice is not None:
            error.add_note(advice)
        raise


def _place(found: ModuleSpec | None) -> str:
    if found is None:
        return "another module"
    # A module that is frozen into Python has its file only once it is imported.
    file = getattr(sys.modules.get(found.name), "__file__", None)
    return file or (found.origin if found.has_location else None) or "a built-in module"


def _is_factory(found: object) -> TypeGuard[Callable[..., object]]:
    """Return whether an object is a function that makes an application."""
    return callable(found) and not isinstance(found, type | Application)


def _call_factory(target: Target, make: Callable[..., object]) -> object:
    try:
        signature_of(make).bind()
    except ValueError:
        # A function written in C may have no signature; then the call shows whether it works.
        return make()
    except TypeError as error:
        raise ApplicationNotFound(
            f"{target} takes {signature_of(make)}, but is called without arguments. Fix: give all"
            " parameters defaults."
        ) from error
    return make()


def _remedy(target: Target, members: Mapping[str, object]) -> str:
    """Return what to do, for example to name another application in the module."""
    for name, value in members.items():
        is_application = isinstance(value, Application)
        if (is_application or _is_annotated_factory(value)) and name != target.name:
            return f"name {target.module}:{name} instead"
    for name, value in members.items():
        if name != target.name and _makes_application(value):
            return (
                f"write {target.name} = Application(...) at the top of the module, not in {name}();"
                f" or let {name}() return it, and name {target.module}:{name}"
            )
    return "make one with Application(...)"


def _makes_application(value: object) -> bool:
    code = getattr(value, "__code__", None)
    return code is not None and "Application" in code.co_names


def _is_annotated_factory(value: object) -> bool:
    try:
        return _is_factory(value) and signature_of(value).return_annotation in _FACTORY_RETURNS
    # A function written in C may have no signature.
    except ValueError:
        return False


def _choose(given: str | None) -> tuple[str, str]:
    """Return the name of the application, and the source of the name for messages."""
    if given:
        return given, "The command line"
    configured = _configured(Path(_PYPROJECT))
    if configured:
        return configured, _PYPROJECT
    if Path("app.py").is_file():
        return "app:app", "app.py"
    above = next(filter(_names_one, Path.cwd().parents), None)
    remedy = (
        f"go to {above}, whose pyproject.toml names an application"
        if above
        else _NAME_THE_APPLICATION
    )
    raise ApplicationNotFound(
        f"No application is named, and {Path.cwd()} contains neither app.py nor a pyproject.toml"
        f" with `app` under [tool.framework]. Fix: {remedy}."
    )


def _names_one(folder: Path) -> bool:
    try:
        return _configured(folder / _PYPROJECT) is not None
    # A pyproject.toml in a folder above may belong to another project.
    except (ApplicationNotFound, OSError):
        return False


def _configured(file: Path) -> str | None:
    if not file.is_file():
        return None
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ApplicationNotFound(
            f"{file} is not valid TOML: {error}. Fix: correct this line."
        ) from error
    table = settings.get("tool", {}).get("framework", {})
    for name in table:
        if name != "app" and get_close_matches(name, ["app"], cutoff=0.5):
            raise ApplicationNotFound(
                f"{file} has {name!r} under [tool.framework]. Fix: write app in place of {name}."
            )
    app = table.get("app")
    if app is not None and not isinstance(app, str):
        raise ApplicationNotFound(
            f"{file} has app = {app!r} under [tool.framework], which is not a text. Fix: write"
            ' app = "shop:app".'
        )
    return app


def _suggestion(text: str) -> str:
    """Return `shop.app:app` for a path such as shop/app.py."""
    path, _, rest = text.partition(":")
    name = "".join(re.findall(r"^\w+", rest))
    module = ".".join(re.findall(r"\w+", path.removesuffix(".py"))) or "shop.app"
    return f"{module}:{name or 'app'}"
