"""Guards, and a page that is guarded by them."""

from typing import Any

from framework import (
    Request,
    controller,
    get,
    guard,
    service,
    session,
)


@service
class Users:
    def __init__(self) -> None:
        self.names = {"ann"}


class LoggedIn:
    def __init__(self, users: Users) -> None:
        self._users = users

    def check(self, session: session) -> bool:
        return session.get("user") in self._users.names


class Answering:
    """A guard that returns a given value."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def check(self) -> Any:
        return self._answer


class Named:
    """A guard that passes if the query has the name, and notes each check."""

    def __init__(self, name: str, checks: list[str]) -> None:
        self._name = name
        self._checks = checks

    def check(self, request: Request) -> bool:
        self._checks.append(self._name)
        return self._name not in request.args.getlist("refuse")


def page_guarded_by(*guards: object) -> type:
    """Make a controller with one handler behind the guards."""

    @controller("/")
    class Page:
        @get("/")
        @guard(*guards)
        def show(self) -> str:
            return "shown"

    return Page


class AtLeast:
    def __init__(self, age: int) -> None:
        self._age = age

    def check(self, age: int = 0) -> bool:
        return age >= self._age
