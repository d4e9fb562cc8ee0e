"""A user's own tests: the client, and parts that are replaced."""

from typing import Protocol, assert_type

from framework import Application, Session, controller, get, replace
from framework.testing import Client


class Mailer(Protocol):
    def send(self, text: str) -> None: ...


class Outbox:
    def send(self, text: str) -> None: ...


@controller("/")
class Pages:
    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    @get("/")
    def page(self) -> str:
        return "hello"


def a_test() -> str:
    with Application(Pages).test(replace(Mailer).to(Outbox())) as client:
        assert_type(client, Client)
        with client.session() as session:
            assert_type(session, Session)
            session["visits"] = 41
        return client.get("/").text
