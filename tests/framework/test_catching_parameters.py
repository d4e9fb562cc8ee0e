"""The parameters of exception handlers, and what start-up says about them."""

import pytest

from framework import (
    Inject,
    Request,
    Session,
    catch,
    controller,
    get,
)
from tests.framework.raising import Log, Raising
from tests.framework.trials import client_of, only_problem_of


def test_parameters_are_bound_like_a_handlers() -> None:
    """Components, the session, the request and the query; the error stands where it likes."""

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
    """As a keyword-only parameter, and to a static method."""

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
    """Nobody needs it twice."""

    @controller("/")
    class Page(Raising):
        @catch(KeyError)
        def caught(self, first: KeyError, second: Exception) -> str:
            return "caught"

    assert only_problem_of(Page).what == "parameters 'first' and 'second' each take the error"


def test_a_parameter_that_cannot_be_bound_is_a_problem() -> None:
    """As it is for a handler."""

    @controller("/")
    class Page(Raising):
        @catch(KeyError)
        def caught(self, error: KeyError, log: Log) -> str:
            return "caught"

    assert "parameter 'log' is Log" in only_problem_of(Page).what


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ((), "@catch takes at least one exception: write @catch(LookupError)"),
        (("KeyError",), "@catch takes subclasses of Exception, not 'KeyError'"),
        ((KeyboardInterrupt,), "@catch takes subclasses of Exception, not <class"),
    ],
)
def test_what_is_no_exception_is_refused_at_once(types: tuple[type, ...], message: str) -> None:
    """The decorator itself says how to write it."""
    with pytest.raises(TypeError) as caught:
        catch(*types)

    assert message in str(caught.value)
