"""A user's guards, resolvers, middleware and exception handlers."""

from dataclasses import dataclass
from typing import Annotated, assert_type

from framework import (
    Middleware,
    Next,
    Request,
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    repository,
    session,
)


class UnknownUser(Exception): ...


@dataclass
class User:
    name: str


@repository
class Users:
    def find(self, name: str) -> User:
        raise UnknownUser(name)


@component
class CurrentUser:
    def __init__(self, users: Users) -> None:
        self._users = users

    def resolve(self, session: session) -> User:
        return self._users.find(session["name"])


@component
class LoggedIn:
    def check(self, session: session) -> bool:
        return "name" in session


class Role:
    def __init__(self, name: str) -> None:
        self.name = name

    def check(self, user: Annotated[User, CurrentUser]) -> bool:
        return user.name == self.name


def timing(request: Request, next: Next) -> Response:
    response = next(request)
    assert_type(response, Response)
    return response


@component
class Counting:
    def __call__(self, request: Request, next: Next) -> Response:
        return next(request)


@configuration
class Configuration:
    @component
    def middleware(self) -> list[Middleware]:
        return [timing, Counting()]


@controller("/account")
@guard(LoggedIn)
class Account:
    @get("/")
    @guard(Role("admin"))
    def show(self, user: Annotated[User, CurrentUser]) -> str:
        assert_type(user, User)
        return user.name

    @catch(UnknownUser)
    def unknown(self, error: UnknownUser) -> Response:
        return Response(str(error), 404)


assert_type(Account().show(User("Ann")), str)
