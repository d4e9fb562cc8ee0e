"""Where the parameters of a handler come from."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from framework import (
    Application,
    Body,
    Cookie,
    Header,
    Inject,
    Query,
    Request,
    Session,
    controller,
    cookie,
    get,
    header,
    post,
    query,
    service,
    session,
)
from tests.framework.trials import REQUIRED, asked, client_of, echo_of, posted


def test_an_unmarked_scalar_is_read_from_the_query() -> None:
    """A number without a marker is the query value of its name."""
    assert asked(echo_of(int), "/?x=3") == 3


def test_a_name_in_the_path_is_the_path_value() -> None:
    """A parameter named in the path gets the value there, not the query's."""
    assert asked(echo_of(int, path="/<int:x>"), "/3?x=4") == 3


def test_a_path_value_needs_no_annotation() -> None:
    """Without an annotation, a path value is what the rule's converter makes."""
    assert asked(echo_of(REQUIRED, path="/<float:x>"), "/1.5") == 1.5


def test_a_path_text_is_converted_to_the_annotation() -> None:
    """A variable without a converter becomes the type that the handler asks for."""
    assert asked(echo_of(int, path="/<x>"), "/12") == 12


@pytest.mark.parametrize(
    ("annotation", "path", "url"),
    [
        (int, "/<x>", "/twelve"),
        (int, "/<int(max=9):x>", "/10"),
        (Annotated[int, msgspec.Meta(le=9)], "/<int:x>", "/10"),
        (Literal["up", "down"], "/<x>", "/left"),
        (UUID, "/<x>", "/1"),
    ],
)
def test_f100_a_path_value_that_does_not_fit_is_no_path(
    annotation: Any, path: str, url: str
) -> None:
    """Whether the rule or the annotation refuses a path value: there is no such resource."""
    assert asked(echo_of(annotation, path=path), url) == 404


def test_every_text_source_is_read_by_its_marker() -> None:
    """Query, Header and Cookie say where a text is; a header has hyphens for underscores."""

    @controller("/")
    class Pages:
        @get("/")
        def page(
            self, page: Query[int], x_token: Header[str], theme: Cookie[str]
        ) -> list[int | str]:
            return [page, x_token, theme]

    with client_of(Pages) as client:
        client.set_cookie("theme", "dark")
        answer = client.get("/?page=2", headers={"X-Token": "abc"}).json

    assert answer == [2, "abc", "dark"]


def test_an_alias_is_the_name_in_the_request() -> None:
    """query(), header() and cookie() take the name that the request uses, and errors tell it."""

    @controller("/")
    class Pages:
        @get("/")
        def page(
            self,
            size: Annotated[int, query("page_size")],
            agent: Annotated[int, header("X-Agent")],
            theme: Annotated[int, cookie("t")],
        ) -> None: ...

    with client_of(Pages) as client:
        errors = client.get("/").get_json()["errors"]

    assert [each["where"] for each in errors] == [
        "query:page_size",
        "header:X-Agent",
        "cookie:t",
    ]


@pytest.mark.parametrize(
    ("annotation", "url", "answer"),
    [
        (Annotated[int, query(ge=1, le=100)], "/?x=100", 100),
        (
            Annotated[int, query(ge=1, le=100)],
            "/?x=0",
            {"query:x": "expected int >= 1, got '0'"},
        ),
        (
            Annotated[str, query(min_length=2)],
            "/?x=a",
            {"query:x": "expected str of length >= 2, got 'a'"},
        ),
        (Annotated[str, query(pattern="^a+$")], "/?x=aa", "aa"),
        (Annotated[int | None, query(gt=5)], "/?x=6", 6),
        (Annotated[float, query(lt=1)], "/?x=0.5", 0.5),
        (Annotated[list[int], query(max_length=2)], "/?x=1&x=2", [1, 2]),
        (
            Annotated[list[int], query(max_length=1)],
            "/?x=1&x=2",
            {"query:x": "expected array of length <= 1"},
        ),
    ],
)
def test_limits_are_checked(annotation: Any, url: str, answer: Any) -> None:
    """A value outside its limits is refused in words that name the limit."""
    assert asked(echo_of(annotation), url) == answer


def test_a_marker_inside_an_optional_type_marks_it() -> None:
    """`Header[int] | None` means `Header[int | None]`."""
    assert asked(echo_of(Header[int] | None, None), "/", headers={"x": "3"}) == 3


def test_a_list_reads_every_cookie_and_every_item_of_a_header() -> None:
    """A list gets the comma-separated items of a header."""
    assert asked(echo_of(Header[list[int]]), "/", headers={"x": "1, 2,,3"}) == [1, 2, 3]


def test_the_first_of_two_cookies_counts() -> None:
    """Browsers send the cookie with the longest path first: it is the one that was meant."""
    assert asked(echo_of(Cookie[str]), "/", headers={"Cookie": "x=near; x=far"}) == "near"


def test_content_type_is_a_header_like_others() -> None:
    """WSGI keeps two headers under names of their own, which a handler does not notice."""
    answer = asked(echo_of(Annotated[str, header("Content-Type")]), "/", content_type="text/csv")

    assert answer == "text/csv"


def test_a_cookie_header_that_is_no_utf8_breaks_nothing() -> None:
    """Octets that are no UTF-8 in one cookie leave the others readable."""
    answer = asked(echo_of(Cookie[int]), "/", headers={"Cookie": "a=\xff; x=3"})

    assert answer == 3


def test_the_body_is_read_as_json() -> None:
    """Body[T] is the JSON of the body, converted to T."""
    assert posted(echo_of(Body[list[int]]), b"[1, 2]") == [1, 2]


def test_the_session_is_given_to_either_spelling() -> None:
    """`session` and `Session` ask for the same object."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, one: session, two: Session) -> bool:
            return one is two

    with client_of(Pages) as client:
        assert client.get("/").json is True


def test_the_request_is_given() -> None:
    """`Request` asks for Werkzeug's request object, whose body is still readable."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request, data: Body[list[int]]) -> str:
            return f"{request.method} {request.get_data(as_text=True)} {data}"

    with client_of(Pages) as client:
        assert client.post("/", json=[1]).text == "POST [1] [1]"


def test_a_component_is_injected() -> None:
    """Inject[T] is the component of that type."""

    @service
    class Greeter:
        def greet(self) -> str:
            return "hello"

    @controller("/")
    class Pages:
        @get("/")
        def page(self, greeter: Inject[Greeter]) -> str:
            return greeter.greet()

    with client_of(Pages, Greeter) as client:
        assert client.get("/").text == "hello"


def test_a_component_that_is_only_injected_into_a_handler_is_found() -> None:
    """A decorated class need not be given to the Application if something asks for it."""

    @service
    class Greeter: ...

    @controller("/")
    class Pages:
        @get("/")
        def page(self, greeter: Inject[Greeter]) -> str:
            return type(greeter).__name__

    with client_of(Pages) as client:
        assert client.get("/").text == "Greeter"


def test_an_optional_component_that_is_missing_is_the_default() -> None:
    """An injected parameter with a default keeps it where nothing provides its type."""

    class Mailer: ...

    @controller("/")
    class Pages:
        @get("/")
        def page(self, mailer: Inject[Mailer | None] = None) -> bool:
            return mailer is None

    with client_of(Pages) as client:
        assert client.get("/").json is True


def test_a_component_of_the_framework_is_injected() -> None:
    """What the framework provides is injected like the user's own components."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, app: Inject[Application]) -> str:
            return type(app).__name__

    with client_of(Pages) as client:
        assert client.get("/").text == "Application"


def test_f11_an_absent_parameter_is_its_default_or_an_error() -> None:
    """Without a value, an optional parameter is None, and a required one is a 422."""
    assert asked(echo_of(int | None, None), "/") is None
    assert asked(echo_of(int | None), "/") == {"query:x": "is required"}
    assert asked(echo_of(list[int]), "/") == {"query:x": "is required"}
    assert asked(echo_of(Header[int]), "/") == {"header:x": "is required"}


def test_a_mutable_default_is_copied_for_each_request() -> None:
    """What a handler does to a default is gone with the request."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, tags: list[str] = []) -> int:  # noqa: B006
            tags.append("new")
            return len(tags)

    with client_of(Pages) as client:
        assert [client.get("/").json, client.get("/").json] == [1, 1]


def test_f15_positional_only_and_keyword_only_parameters_bind() -> None:
    """Each kind of parameter gets its own value."""

    @controller("/")
    class Pages:
        @get("/<name>")
        def page(self, name: str, size: int, /, page: int, *, q: str, sort: str = "up") -> str:
            return f"{name} {size} {page} {q} {sort}"

        @get("/path/<one>/<int:two>")
        def path(self, one: str, /, *, two: int) -> str:
            return f"{one} {two}"

    with client_of(Pages) as client:
        answers = [client.get("/ann?size=1&page=2&q=x").text, client.get("/path/a/2").text]

    assert answers == ["ann 1 2 x up", "a 2"]


@pytest.mark.parametrize("count", range(6))
def test_any_number_of_parameters_is_passed_in_order(count: int) -> None:
    """A handler gets its path values in the order of its parameters, not of the path."""
    names = [f"p{number}" for number in range(count)]

    def page(self: object, *values: str) -> str:
        return " ".join(values)

    code = f"lambda self, {', '.join(reversed(names))}: page(self, {', '.join(names)})"
    rule = "/" + "/".join(f"<{name}>" for name in names)
    handler = get(rule)(eval(code, {"page": page}))  # noqa: S307
    pages = controller("/")(type("Pages", (), {"handler": handler}))

    with client_of(pages) as client:
        assert client.get("/" + "/".join("abcde"[:count])).text == " ".join("abcde"[:count])


def test_the_errors_of_all_parameters_come_together() -> None:
    """One 422 names every value that does not fit, from whatever source it is."""

    @controller("/")
    class Pages:
        @post("/")
        def page(
            self,
            page: int,
            token: Header[int],
            data: Body[list[int]],
            ok: str = "",
            *,
            q: int,
        ) -> None: ...

    with client_of(Pages) as client:
        errors = client.post("/?page=b&q=c", json=["d"], headers={"token": "e"}).get_json()

    assert {each["where"] for each in errors["errors"]} == {
        "query:page",
        "header:token",
        "body:/0",
        "query:q",
    }


def test_f109_a_repeated_key_is_ambiguous_for_one_value() -> None:
    """Two values for a scalar are a 422, even if they are equal; a list takes them all."""
    assert asked(echo_of(int), "/?x=1&x=1") == {"query:x": "is there 2 times, expected once"}
    assert asked(echo_of(list[int]), "/?x=1&x=1") == [1, 1]


def test_query_text_is_unquoted() -> None:
    """Plus is a space, percent sequences are UTF-8, and an empty value is a text."""
    assert asked(echo_of(str), "/?x=a+b%20c%C5%BC&y=%26") == "a b cż"
    assert asked(echo_of(str), "/?x=") == ""
    assert asked(echo_of(str), "/?&&x") == ""


def test_query_text_that_is_no_utf8_is_refused() -> None:
    """Bytes that are no UTF-8 are an error of the parameter that asks for them, and of no other."""
    assert asked(echo_of(str), "/?x=%FF") == {"query:x": "expected UTF-8, got '\\udcff'"}
    assert asked(echo_of(int), "/?y=%FF&x=1") == 1
