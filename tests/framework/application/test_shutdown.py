"""Generator components that end with the application."""

from collections.abc import Iterator

import pytest

from framework import Application, component, configuration, controller, get
from framework.testing import Client


class Pool:
    """Hold what is opened once."""


@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"


def test_generators_of_the_application_end_after_the_hooks() -> None:
    """A component ends when nothing needs it any more."""
    lines: list[str] = []

    class Pool: ...

    @configuration
    class Pools:
        @component
        def pool(self) -> Iterator[Pool]:
            lines.append("begin")
            yield Pool()
            lines.append("end")

        def on_stop(self, pool: Pool) -> None:
            lines.append("stop")

    application = Application(Page, Pools)
    lines.append(Client(application).get("/").text)
    application.stop()

    assert lines == ["begin", "shown", "stop", "end"]


def test_a_generator_that_fails_to_end_leaves_the_others_to_theirs() -> None:
    """stop() raises the error after all others have ended; a second yield is named."""
    lines: list[str] = []

    class Pool: ...

    class Cache: ...

    class Queue: ...

    @configuration
    class Pools:
        @component
        def pool(self) -> Iterator[Pool]:
            yield Pool()
            lines.append("end of the pool")

        @component
        def cache(self) -> Iterator[Cache]:
            yield Cache()
            raise LookupError("the cache is gone")

        @component
        def queue(self) -> Iterator[Queue]:
            yield Queue()
            yield Queue()

    application = Application(Page, Pools)
    application.start()
    with pytest.raises(
        ExceptionGroup, match="several components raised an exception when they ended"
    ) as failure:
        application.stop()

    told = sorted(map(str, failure.value.exceptions))
    assert lines == ["end of the pool"]
    assert told[0].startswith("Pools.queue (tests/framework/application/test_shutdown.py:")
    assert ") yields a second time: a component method yields once" in told[0]
    assert told[1] == "the cache is gone"


def test_a_hook_that_fails_leaves_the_others_to_theirs() -> None:
    """stop() raises a single error unchanged, after the other hooks have run."""
    lines: list[str] = []

    @configuration
    class First:
        def on_stop(self) -> None:
            lines.append("first stops")

    @configuration
    class Second:
        def on_stop(self) -> None:
            raise LookupError("no pool")

    application = Application(Page, First, Second)
    application.start()
    with pytest.raises(LookupError, match="no pool"):
        application.stop()

    assert lines == ["first stops"]


@configuration
class Pools:
    """Give the application a pool that ends with it."""

    def __init__(self) -> None:
        self.is_open = False

    @component
    def pool(self) -> Iterator[Pool]:
        self.is_open = True
        yield Pool()
        self.is_open = False


@configuration
class Unlucky:
    """Fail to start the first time."""

    def __init__(self, pools: Pools) -> None:
        self.pools = pools
        self.seen: list[bool] = []

    def on_start(self) -> None:
        self.seen.append(self.pools.is_open)
        if len(self.seen) == 1:
            raise LookupError("the database is not there yet")


def test_a_second_start_has_its_components() -> None:
    """A start that failed has not ended the components."""
    application = Application(Page, Pools, Unlucky)
    with pytest.raises(LookupError):
        application.start()

    application.start()

    assert application.graph.get(Unlucky).seen == [True, True]
    application.stop()
    assert not application.graph.get(Pools).is_open


def test_an_application_that_ended_cannot_start_again(caplog: pytest.LogCaptureFixture) -> None:
    """The components are closed, so a new start is refused at once."""
    application = Application(Page, Pools)
    application.start()
    application.stop()
    application.stop()

    with pytest.raises(RuntimeError, match=r"was stopped.*build a new application"):
        application.start()
    assert Client(application).get("/").status_code == 500
    assert "build a new application to serve again" in caplog.text
