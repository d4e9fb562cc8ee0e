"""A few components, and a page that shows a component."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from framework import (
    component,
    controller,
    get,
)
from framework.testing import Client, Replacement, open_client


class Mailer(ABC):
    @abstractmethod
    def send(self) -> str: ...


class Clock(Protocol):
    def now(self) -> int: ...


@component
class SmtpMailer(Mailer):
    def send(self) -> str:
        return "smtp"


class Settings:
    def __init__(self, name: str = "default") -> None:
        self.name = name


def page_of(key: object, show: Callable[..., object]) -> type:
    """Make a controller that takes a component, and answers with its description."""

    @controller("/")
    class Page:
        def __init__(self, it: object) -> None:
            self._it = it

        __init__.__annotations__ = {"it": key}

        @get("/")
        def page(self) -> dict[str, object]:
            return {"shown": show(self._it)}

    return Page


def shown(page: type, *others: type, replacements: tuple[Replacement, ...] = ()) -> object:
    """Return the answer of a page of `page_of`."""
    with open_client((page, *others), replacements) as client:
        return read(client)


def read(client: Client) -> object:
    """Return the answer that a client gets from the page of `page_of`."""
    return client.get("/").get_json()["shown"]
