"""`framework shell`: Python with the application, a client and the components ready to use."""

import code
import linecache
import rlcompleter
import sys
from types import SimpleNamespace
from typing import Any

import click

from framework.application import Application
from framework.commands.finding import application_argument, load_or_report
from framework.commands.other_names import Command
from framework.serving.failures import describe
from framework.settings import HTTPSettings
from framework.testing import Client

BANNER = """\
app         the application
manager     its sessions; None if no handler uses them
client      sends requests to the application: client.get("/"{base}).text
components  what start-up built, by name: {names}"""

_NAME = "<stdin>"


@click.command(cls=Command, short_help="Open Python with the application at hand.")
@application_argument
def shell(app: str | None) -> None:
    """Open Python with the application, its sessions, a client and the components.

    A program from a pipe or a file is run: its exit status is 1 if it raises an exception.
    """
    application = load_or_report(app)
    components = _components(application)
    names = ", ".join(vars(components)) or "none"
    banner = BANNER.format(names=names, base=_base(application))
    namespace = {
        "app": application,
        "manager": application.sessions,
        "client": Client(application),
        "components": components,
    }
    if sys.stdin is not None and sys.stdin.isatty():
        _complete(namespace)
        code.interact(banner, local=namespace, exitmsg="")
    else:
        _run("" if sys.stdin is None else sys.stdin.read(), namespace)


def _run(program: str, namespace: dict[str, Any]) -> None:
    """Run a whole program, as Python runs a file; end with exit status 1 after an exception."""
    # Some shells, such as PowerShell, put this character before the text.
    program = program.removeprefix("\ufeff")
    # A traceback shows the lines of the program.
    lines = program.splitlines(keepends=True)
    linecache.cache[_NAME] = (len(program), None, lines, _NAME)
    try:
        compiled = compile(program, _NAME, "exec", dont_inherit=True)
        exec(compiled, {"__name__": "__main__", **namespace})  # noqa: S102
    # The program may raise anything; the report shows it without our own frames.
    except Exception as error:  # noqa: BLE001
        click.echo(describe(error), err=True)
        sys.exit(1)


def _components(application: Application) -> SimpleNamespace:
    """Return the components by the names of their types, if the names are identifiers."""
    components = application.graph.components()
    return SimpleNamespace(
        **{name: component for name, component in components if name.isidentifier()}
    )


def _base(application: Application) -> str:
    """Return the argument `base_url` of `client.get` as code; empty if all hosts are trusted."""
    hosts = application.graph.get(HTTPSettings).trusted_hosts
    return f', base_url="https://{hosts[0].removeprefix(".")}"' if hosts else ""


def _complete(namespace: dict[str, Any]) -> None:
    """Set up `readline`, if it exists: the tab key completes names, and arrow keys recall lines."""
    try:
        import readline
    except ImportError:
        return
    readline.set_completer(rlcompleter.Completer(namespace).complete)
    readline.parse_and_bind("tab: complete")
