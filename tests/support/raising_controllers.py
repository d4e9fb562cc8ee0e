"""Controllers that raise errors, and methods that catch them."""

from collections.abc import Callable

from werkzeug.exceptions import Conflict, Forbidden, NotFound

from framework import (
    Response,
    catch,
    configuration,
    controller,
    get,
    service,
)
from tests.support.small_applications import client_of


class UnknownUser(LookupError): ...


class UnknownAdmin(UnknownUser): ...


ERRORS: dict[str, Callable[[], Exception]] = {
    "user": UnknownUser,
    "admin": UnknownAdmin,
    "key": KeyError,
    "value": ValueError,
    "conflict": Conflict,
    "forbidden": Forbidden,
}


class Raising:
    @get("/<name>")
    def show(self, name: str) -> str:
        raise ERRORS[name]()


@controller("/")
class Pages(Raising):
    @catch(UnknownUser)
    def unknown(self, error: UnknownUser) -> Response:
        return Response(f"controller: {type(error).__name__}", 404)

    @catch(LookupError, status=410)
    def gone(self) -> str:
        return "controller: gone"


@controller("/plain")
class Plain(Raising): ...


@configuration
class Errors:
    @catch(UnknownAdmin)
    def admin(self, error: UnknownAdmin) -> str:
        return "application: admin"

    @catch(LookupError)
    def lookup(self, error: LookupError) -> dict[str, str]:
        return {"application": type(error).__name__}

    @catch(NotFound, Forbidden, status=404)
    def hidden(self, error: NotFound | Forbidden) -> str:
        return f"application: {error.code}"


def answer(path: str) -> tuple[int, str]:
    with client_of(Pages, Plain, Errors) as client:
        response = client.get(path)
    return response.status_code, response.text


@service
class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []
