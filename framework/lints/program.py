"""The whole program, as start-up has read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from framework.decorators import is_configuration, is_controller
from framework.dispatch.handlers import Handler
from framework.injection.graph import Graph
from framework.middleware import Middleware
from sessions.manager import SessionManager


@dataclass(frozen=True)
class Program:
    """The parts of an application."""

    classes: Sequence[type]
    graph: Graph
    handlers: Sequence[Handler]
    middleware: Sequence[Middleware]
    # None if nothing uses sessions.
    sessions: SessionManager | None = None

    @property
    def controllers(self) -> list[type]:
        """List the classes that are controllers."""
        return [target for target in self.classes if is_controller(target)]

    @property
    def configurations(self) -> list[type]:
        """List the classes that are configurations."""
        return [target for target in self.classes if is_configuration(target)]
