"""`framework shell`: opens Python with the application, a client and the components."""

import code
import rlcompleter
from types import SimpleNamespace
from typing import Any

import click

from framework.application import Application
from framework.commands.finding import application_argument, load_or_report
from framework.commands.other_names import Command
from framework.settings import HTTPSettings
from framework.testing import Client

BANNER = """\
app         the application
manager     its sessions; None if no handler uses them
client      sends requests to the application: client.get("/"{base}).text
components  what start-up built, by name: {names}"""


@click.command(cls=Command)
@application_argument
def shell(app: str | None) -> None:
    """Open Python with the application, its sessions, a client and the components."""
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
    _complete(namespace)
    code.interact(banner, local=namespace, exitmsg="")


def _components(application: Application) -> SimpleNamespace:
    """Return the components by the names of their types, if the names are identifiers."""
    components = application.graph.components()
    return SimpleNamespace(
        **{name: component for name, component in components if name.isidentifier()}
    )


def _base(application: Application) -> str:
    """Write the argument that a request needs if only some hosts are trusted."""
    hosts = application.graph.get(HTTPSettings).trusted_hosts
    return f', base_url="https://{hosts[0].removeprefix(".")}"' if hosts else ""


def _complete(namespace: dict[str, Any]) -> None:
    """Let the tab key complete names, and the arrow keys recall lines, if `readline` exists."""
    try:
        import readline
    except ImportError:
        return
    readline.set_completer(rlcompleter.Completer(namespace).complete)
    readline.parse_and_bind("tab: complete")
