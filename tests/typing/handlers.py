"""A user's handlers: type checkers see the plain types behind the markers."""

from dataclasses import dataclass
from typing import Annotated, assert_type
from uuid import UUID

from framework import (
    Application,
    Body,
    Cookie,
    Form,
    Header,
    Inject,
    Query,
    Request,
    Response,
    controller,
    cookie,
    delete,
    form,
    get,
    head,
    header,
    options,
    patch,
    post,
    put,
    query,
    service,
)
from framework.results import HTML, JSON


@dataclass
class NewUser:
    name: str
    age: int = 0


@service
class Clock:
    def now(self) -> float:
        return 0.0


@controller("/users")
class Users:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @get("/<int:user_id>")
    def show(
        self,
        user_id: int,
        request: Request,
        page: Annotated[int, query("p", ge=1, le=100)] = 1,
        q: str | None = None,
    ) -> NewUser:
        assert_type(user_id, int)
        assert_type(request, Request)
        assert_type(page, int)
        assert_type(q, str | None)
        return NewUser(q or "")

    @get("/texts")
    def texts(
        self,
        one: Query[int],
        some: Query[list[UUID]],
        agent: Header[str],
        theme: Cookie[str | None] = None,
    ) -> Response:
        assert_type(one, int)
        assert_type(some, list[UUID])
        assert_type(agent, str)
        assert_type(theme, str | None)
        return Response("")

    @post("/", status=201)
    def create(self, user: Body[NewUser], clock: Inject[Clock]) -> NewUser:
        assert_type(user, NewUser)
        assert_type(clock, Clock)
        return user

    @put("/form")
    def form(self, user: Form[NewUser], size: Annotated[int, form("s", gt=0)] = 1) -> None:
        assert_type(user, NewUser)
        assert_type(size, int)

    @put("/kept", status=201)
    def keep(self, user: Body[NewUser]) -> JSON[NewUser | None]:
        kept = JSON(user, headers={"Location": "/users/1"})
        assert_type(kept, JSON[NewUser])
        return kept

    @get("/page")
    def page(self) -> HTML | Response:
        return HTML("<p>", 203, headers=[("X-Page", "1")])

    @patch("/limits")
    def limits(
        self,
        name: Annotated[str, query(min_length=1, max_length=9, pattern="^a")],
        token: Annotated[str, header("X-Token")],
        theme: Annotated[str, cookie("t")],
    ) -> str:
        return name + token + theme

    @delete("/<int:user_id>")
    def remove(self, user_id: int) -> None: ...

    @head("/h")
    def head(self) -> None: ...

    @options("/o")
    def options(self) -> None: ...


# A decorated class and a decorated handler stay what they were, for a unit test to call.
users = Users(Clock())
assert_type(users, Users)
assert_type(users.create(NewUser("Ann"), Clock()), NewUser)

app = Application(Users, Clock)
assert_type(app.url_for("Users.show", user_id=1), str)
