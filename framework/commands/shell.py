"""`framework shell`: Python with the application at hand."""

import code
from types import SimpleNamespace

import click

from framework.application import Application
from framework.commands.finding import application_argument, load_or_report
from framework.testing import Client

BANNER = """\
app         the application
manager     its sessions; None if no handler uses them
client      sends requests to it: client.get("/").text
components  what start-up built, by name: {names}"""


@click.command()
@application_argument
def shell(app: str | None) -> None:
    """Open Python with the application, its sessions, a client and the components."""
    application = load_or_report(app)
    components = _components(application)
    banner = BANNER.format(names=", ".join(vars(components)) or "none")
    namespace = {
        "app": application,
        "manager": application.sessions,
        "client": Client(application),
        "components": components,
    }
    _complete_names()
    code.interact(banner, local=namespace, exitmsg="")


def _components(application: Application) -> SimpleNamespace:
    """Gather what the user's providers made, each under the name of its type."""
    return SimpleNamespace(**dict(application.graph.components()))


def _complete_names() -> None:
    """Let the arrow keys and the history work, where the platform can."""
    try:
        import readline  # noqa: F401
    except ImportError:
        return
