"""Hooks of configurations: run once when serving begins, and in reverse when it ends."""

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from framework import (
    Application,
    Session,
    configuration,
    controller,
    get,
    service,
)
from framework.testing import Client
from tests.support.small_applications import only_problem_of


@service
class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []


@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"


@configuration
class First:
    def on_start(self, log: Log) -> None:
        log.lines.append("first starts")

    def on_stop(self, log: Log) -> None:
        log.lines.append("first stops")


@configuration
class Second:
    def on_start(self, log: Log) -> None:
        log.lines.append("second starts")

    def on_stop(self, log: Log) -> None:
        log.lines.append("second stops")


def test_hooks_run_around_a_test_and_in_reverse_at_its_end() -> None:
    """Their parameters are injected."""
    log = Log()
    application = Application(Page, First, Second, Log, replacements={Log: log})
    application.start()
    assert log.lines == ["first starts", "second starts"]

    application.stop()
    assert log.lines[2:] == ["second stops", "first stops"]


def test_a_test_client_starts_and_stops() -> None:
    """The hooks also run if the test fails."""
    lines: list[str] = []

    @configuration
    class Hooked:
        def on_start(self) -> None:
            lines.append("start")

        def on_stop(self) -> None:
            lines.append("stop")

    def fail() -> None:
        with Application(Page, Hooked).test() as client:
            lines.append(client.get("/").text)
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert lines == ["start", "shown", "stop"]


def test_building_an_application_runs_no_hook() -> None:
    """`framework check` and `framework routes` serve nothing."""
    log = Log()
    Application(Page, First, Log, replacements={Log: log})

    assert log.lines == []


def test_the_first_request_starts_once() -> None:
    """A server need not know hooks; concurrent first requests wait for the hooks."""
    log = Log()
    application = Application(Page, First, Log, replacements={Log: log})
    together = threading.Barrier(4)

    def visit() -> None:
        together.wait(10)
        assert Client(application).get("/").text == "shown"

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    application.stop()

    assert log.lines == ["first starts", "first stops"]


def test_a_second_stop_does_nothing() -> None:
    """A stop without a start also does nothing."""
    log = Log()
    application = Application(Page, First, Log, replacements={Log: log})
    application.stop()
    application.start()
    application.stop()
    application.stop()

    assert log.lines == ["first starts", "first stops"]


def test_hooks_that_ran_are_stopped_when_a_later_hook_fails() -> None:
    """The error of the hook is raised where the application is started."""
    log = Log()

    @configuration
    class Failing:
        def on_start(self) -> None:
            raise LookupError("no database")

        def on_stop(self) -> None:
            log.lines.append("failing stops")

    application = Application(Page, First, Failing, Log, replacements={Log: log})
    with pytest.raises(LookupError):
        application.start()

    assert log.lines == ["first starts", "first stops"]


def test_the_end_of_the_process_runs_the_stop_hooks() -> None:
    """The stop hooks run only if the application has served requests."""
    code = """
        from framework import Application, configuration, controller, get
        from framework.testing import Client

        @controller("/")
        class Page:
            @get("/")
            def show(self) -> str:
                return "shown"

        @configuration
        class Hooked:
            def on_start(self) -> None:
                print("start")

            def on_stop(self) -> None:
                print("stop")

        application = Application(Page, Hooked)
        print(Client(application).get("/").text)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["start", "shown", "stop"]


def test_a_hook_is_inherited() -> None:
    """A hook of a configuration's base class runs once."""
    log = Log()

    @configuration
    class Own(First): ...

    application = Application(Page, Own, Log, replacements={Log: log})
    application.start()
    application.stop()

    assert log.lines == ["first starts", "first stops"]


def test_a_missing_dependency_of_a_hook_is_a_problem() -> None:
    """The mistake is found when the application is built, not when it starts to serve."""

    @configuration
    class Hooked:
        def on_start(self, name: str) -> None: ...

    problem = only_problem_of(Page, Hooked)

    assert "nothing provides str" in problem.what
    assert "Hooked.on_start (" in problem.where


def test_a_hook_belongs_to_no_request() -> None:
    """No session exists when a hook runs."""

    @configuration
    class Hooked:
        def on_start(self, session: Session) -> None: ...

    assert "Session belongs to one request" in only_problem_of(Page, Hooked).what


def test_an_async_hook_is_a_problem() -> None:
    """WSGI cannot run an async hook."""

    @configuration
    class Hooked:
        async def on_start(self) -> None: ...

    assert only_problem_of(Page, Hooked).what == (
        "on_start is an async function, which WSGI cannot run"
    )


def test_a_hook_that_is_not_a_method_is_a_problem() -> None:
    """An attribute that is not a method has the name of a hook."""

    @configuration
    class Hooked:
        on_start = "now"

    assert only_problem_of(Page, Hooked).what == "Hooked.on_start is not a method"


def test_a_forked_child_starts_for_itself() -> None:
    """A worker of a server that loads the application before it forks runs the hooks, too."""
    log = Log()
    application = Application(Page, First, Log, replacements={Log: log})
    application.start()
    reader, writer = os.pipe()

    child = os.fork()
    if child == 0:
        Client(application).get("/")
        application.stop()
        os.write(writer, ", ".join(log.lines).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 1000) == b"first starts, first starts, first stops"
    application.stop()
    assert log.lines == ["first starts", "first stops"]


def test_an_application_that_was_stopped_starts_again() -> None:
    """A request after a stop starts the application again."""
    log = Log()
    application = Application(Page, First, Log, replacements={Log: log})
    application.start()
    application.stop()

    Client(application).get("/")

    assert log.lines == ["first starts", "first stops", "first starts"]
    application.stop()
