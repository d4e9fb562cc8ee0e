"""Bodies that are a form, and those that are none; and types that no form holds."""

from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Any

import pytest

from framework import Body, Form, Request, controller, form, post
from tests.framework.trials import client_of, echo_of, marked, only_problem_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass
class Note:
    title: str


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"x", MULTIPART, 400),
        (b"x=\xff", URLENCODED, 400),
        (b"x=1" + b"&x=1" * 1000, URLENCODED, 413),
        (b"", "application/json", 422),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, content_type: str, status: int) -> None:
    """A body of another type, or that no parser reads, is refused with the status that says why."""
    with client_of(echo_of(Form[int])) as client:
        assert client.post("/", data=body, content_type=content_type).status_code == status


class Watched(BytesIO):
    """Remember how much has been read."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        """Count and read."""
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("content_type", [URLENCODED, f"{MULTIPART}; boundary=b"])
def test_a_form_over_the_limit_is_refused_before_it_is_read(content_type: str) -> None:
    """Content-Length says enough: nothing of such a body is read."""
    body = Watched(b"x=" + b"1" * 2**21)

    with client_of(echo_of(Form[str])) as client:
        answer = client.post(
            "/", input_stream=body, content_type=content_type, content_length=2**21 + 2
        )

    assert (answer.status_code, body.count) == (413, 0)


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (
            Form[dict[str, int]],
            "parameter 'x' cannot be read from the form: no text holds a value of type"
            " dict[str, int]",
        ),
        (
            Annotated[Note, form("note")],
            "form() of parameter 'x' has a name or limits, but Note takes the whole form",
        ),
    ],
)
def test_a_type_that_no_form_holds_is_a_problem(annotation: Any, what: str) -> None:
    """What could never be read is told at start-up."""
    assert only_problem_of(echo_of(annotation)).what == what


def test_an_object_inside_an_object_is_a_problem() -> None:
    """A form is flat; the report names the field."""

    @dataclass
    class Nested:
        note: Note

    problem = only_problem_of(echo_of(Form[Nested]))

    assert problem.what == (
        "parameter 'x.note' cannot be read from the form: no text holds a value of type Note"
    )


def test_a_class_with_a_field_of_no_type_is_a_problem() -> None:
    """A field whose annotation names nothing is told at start-up, not raised."""

    @dataclass
    class Lost:
        price: "Missing"  # type: ignore[name-defined]  # noqa: F821

    assert only_problem_of(echo_of(marked(Form, Lost))).what == (
        "parameter 'x' cannot be read from the form: name 'Missing' is not defined"
    )


def test_a_form_of_unknown_length_is_read_where_the_server_ends_it() -> None:
    """A chunked form is as good as any, and limited as well."""
    with client_of(echo_of(Form[str])) as client:
        answers = [
            client.post(
                "/",
                input_stream=BytesIO(b"x=" + b"a" * size),
                content_type=URLENCODED,
                environ_overrides={"wsgi.input_terminated": True},
            )
            for size in (3, 2**21)
        ]

    assert [each.status_code for each in answers] == [200, 413]
    assert answers[0].get_json()["x"] == "aaa"


def test_a_handler_sees_the_form_in_its_request_too() -> None:
    """The body is parsed once, for the parameters and for the request object."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request, x: Form[str]) -> str:
            return f"{x} {request.form['x']}"

    with client_of(Pages) as client:
        assert client.post("/", data={"x": "1"}).text == "1 1"


def test_a_body_beside_a_form_is_a_problem() -> None:
    """A request has one body, which is JSON or a form."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, note: Body[Note], size: Form[int]) -> None: ...

    assert only_problem_of(Pages).what == (
        "parameter 'note' reads the body as JSON, and 'size' as a form, but a request has one body"
    )
