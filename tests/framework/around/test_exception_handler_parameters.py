"""The parameters of exception handlers, and what start-up says about them."""

from typing import Any

import pytest

from framework import (
    Inject,
    Query,
    Request,
    Session,
    catch,
    configuration,
    controller,
    get,
)
from tests.support.raising_controllers import Log, Raising
from tests.support.small_applications import client_of, only_problem_of, problems_of


def test_parameters_are_bound_like_a_handlers() -> None:
    """Components, the session, the request and the query; the error may be anywhere."""

    @controller("/")
    class Page:
        @get("/")
        def show(self) -> str:
            raise KeyError("x")

        @catch(KeyError)
        def caught(
            self,
            log: Inject[Log],
            error: KeyError,
            /,
            session: Session,
            *,
            request: Request,
            page: int = 1,
        ) -> str:
            session["seen"] = True
            return f"{error} {request.path} {page} {log.lines}"

    with client_of(Page, Log) as client:
        assert client.get("/?page=2").text == "'x' / 2 []"
        with client.session() as session:
            assert session["seen"] is True


def test_the_error_can_be_passed_by_name() -> None:
    """The error may be a keyword-only parameter, also of a static method."""

    @controller("/")
    class Page:
        @get("/")
        def show(self) -> str:
            raise KeyError("x")

        @staticmethod
        @catch(KeyError)
        def caught(page: int = 1, *, error: Exception) -> str:
            return f"{error!r} {page}"

    with client_of(Page) as client:
        assert client.get("/").text == "KeyError('x') 1"


def test_one_type_is_caught_once_in_a_layer() -> None:
    """Two methods of one controller for one type are a problem."""

    @controller("/")
    class Page(Raising):
        @catch(KeyError, ValueError)
        def first(self) -> str:
            return "first"

        @catch(KeyError)
        def second(self) -> str:
            return "second"

    problem = only_problem_of(Page)

    assert problem.what.startswith("KeyError is also caught by")
    assert "Page.second (" in problem.where


def test_the_error_is_taken_once() -> None:
    """Two parameters for the error are a mistake."""

    @controller("/")
    class Page(Raising):
        @catch(KeyError)
        def caught(self, first: KeyError, second: Exception) -> str:
            return "caught"

    assert only_problem_of(Page).what == "parameters 'first' and 'second' all receive the exception"


def test_a_parameter_that_cannot_be_bound_is_a_problem() -> None:
    """The problem is the same as for a handler."""

    @controller("/")
    class Page(Raising):
        @catch(KeyError)
        def caught(self, error: KeyError, log: Log) -> str:
            return "caught"

    assert "parameter 'log' is Log" in only_problem_of(Page).what


def test_an_exception_handler_takes_the_path_variable_of_the_request() -> None:
    """This needs a variable in every path of the controller; the value may be converted."""

    @controller("/shops/<shop>")
    class Page:
        @get("/<int:number>")
        def show(self, shop: str, number: int) -> str:
            raise KeyError(number)

        @get("/")
        def own(self, shop: str) -> str:
            raise KeyError(shop)

        @catch(KeyError)
        def caught(self, shop: str, error: KeyError, page: int = 1) -> str:
            return f"{shop} {error} {page}"

    with client_of(Page) as client:
        assert client.get("/shops/a/7?page=2").text == "a 7 2"
        assert client.get("/shops/b").text == "b 'b' 1"


def test_a_variable_of_some_paths_is_a_problem() -> None:
    """Read from the query, the value would be missing although the path has it."""

    @controller("/")
    class Page:
        @get("/<int:number>")
        def show(self, number: int) -> int:
            return number

        @get("/named/<number>")
        def named(self, number: str) -> str:
            return number

        @catch(KeyError)
        def caught(self, number: int) -> int:
            return number

    problem = only_problem_of(Page)

    assert problem.where.startswith("Page.caught (")
    assert problem.what == (
        "parameter 'number' is a path variable, but the exception handler also answers requests"
        " whose path does not have this variable"
    )
    assert problem.remedy == (
        "Store the value in the exception. If you mean a value of the query, write"
        " number: Query[int]."
    )


def test_a_configurations_method_has_no_variable_of_the_path() -> None:
    """It also answers if no rule matches; a marker can read the query."""

    @controller("/")
    class Page(Raising): ...

    def configured(kind: object) -> type:
        @configuration
        class Errors:
            def caught(self, name: Any) -> str:
                return str(name)

            caught.__annotations__["name"] = kind
            caught = catch(KeyError)(caught)

        return Errors

    assert (
        "'name' is a path variable, but the exception handler"
        in only_problem_of(Page, configured(str)).what
    )
    with client_of(Page, configured(Query[str])) as client:
        assert client.get("/key?name=x").text == "x"


def test_the_return_type_is_checked_like_a_handlers() -> None:
    """A body with a status, and a type that JSON cannot hold, are mistakes."""

    @controller("/")
    class Page(Raising):
        @catch(KeyError)
        def tuple(self) -> tuple[str, int]:
            return "caught", 404

        @catch(ValueError)
        def log(self) -> Log:
            return Log()

    assert [(each.what, each.remedy.partition(",")[0]) for each in problems_of(Page)] == [
        (
            "the handler returns tuple[str, int], but a tuple cannot set the status",
            "Return the body alone and write @catch(…",
        ),
        (
            "the handler returns Log, which JSON cannot hold",
            "Make Log a dataclass or a msgspec.Struct",
        ),
    ]


def test_a_body_with_a_status_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """This also holds without a return annotation."""

    @controller("/")
    class Page(Raising):
        @catch(KeyError)
        def caught(self) -> Any:
            return "caught", 404

    with client_of(Page) as client:
        assert client.get("/key").status_code == 500

    assert "give the decorator status=404" in caplog.text


def bare(self: object) -> None: ...


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ((), "@catch takes at least one exception. Fix: write @catch(LookupError)"),
        (
            (bare,),
            "@catch is written without an exception. Fix: write @catch(LookupError)",
        ),
        (
            ("KeyError",),
            "@catch takes subclasses of Exception, not 'KeyError'. Fix: write each exception by"
            " itself, as in @catch(LookupError, OSError)",
        ),
        (
            (KeyboardInterrupt,),
            "@catch takes subclasses of Exception, not <class 'KeyboardInterrupt'>,"
            " which is more than an error of one request. Fix: leave KeyboardInterrupt out",
        ),
        (
            (KeyError("x"),),
            "@catch takes subclasses of Exception, not KeyError('x'). Fix: write @catch(KeyError)",
        ),
    ],
)
def test_a_class_that_is_not_an_exception_is_refused_at_once(
    types: tuple[Any, ...], message: str
) -> None:
    """The decorator itself says how to write it."""
    with pytest.raises(TypeError) as caught:
        catch(*types)

    assert str(caught.value) == message


def test_an_unannotated_error_parameter_has_a_remedy() -> None:
    """The parameter is not taken for a value of the query."""

    @controller("/")
    class Page:
        @get("/")
        def show(self) -> None: ...

        @catch(KeyError, ValueError)
        def caught(self, e: Any, page: Any) -> None: ...

        caught.__annotations__.clear()

    found = {each.what: each.remedy for each in problems_of(Page)}

    assert found == {
        "parameter 'e' has no annotation": "Write e: KeyError | ValueError.",
        "parameter 'page' has no annotation": (
            "Write page: str for a query value, page: session for the session, or put <page> into"
            " the path."
        ),
    }


def test_a_path_variable_needs_no_annotation_beside_the_error() -> None:
    """A parameter with the name of a path variable is not taken for the error."""

    @controller("/<name>")
    class Page:
        @get("/")
        def show(self, name: str) -> str:
            raise KeyError

        @catch(KeyError)
        def caught(self, name: Any) -> Any:
            return name

        caught.__annotations__.clear()

    with client_of(Page) as client:
        assert client.get("/ann").text == "ann"


@pytest.mark.parametrize("order", [("request", "error"), ("session", "e"), ("error", "request")])
def test_the_unannotated_error_is_found_beside_the_request(order: tuple[str, str]) -> None:
    """Some frameworks pass the request first; the name `request` shows which one it is."""

    def handler(self: Any, first: Any, second: Any) -> None: ...

    code = handler.__code__
    handler.__code__ = code.replace(co_varnames=("self", *order))
    handler.__annotations__.clear()

    @controller("/")
    class Page:
        caught = catch(KeyError)(handler)

        @get("/")
        def show(self) -> None: ...

    found = {each.what: each.remedy for each in problems_of(Page)}

    for name in order:
        kind = {"request": "Request", "session": "session"}.get(name, "KeyError")
        assert found[f"parameter {name!r} has no annotation"].startswith(f"Write {name}: {kind}")
