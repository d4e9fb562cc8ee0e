"""Start hooks that fail: the answer to a request, and the log."""

import pytest

from framework import Application, configuration, controller, get, service
from framework.testing import Client


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
class Unlucky:
    """Fail to start, until the database is there."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def on_start(self) -> None:
        self._log.lines.append("tried")
        if len(self._log.lines) < 3:
            raise LookupError("no database")


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_request_that_cannot_start_is_a_500(
    accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The server gets no exception; the log names the hook, and the next request tries again."""
    application = Application(Page, Unlucky, Log)
    client = Client(application)
    refused = [client.get("/", headers={"Accept": accept}), client.head("/")]
    answered = client.get("/")
    application.stop()

    assert [answer.status_code for answer in refused] == [500, 500]
    assert refused[0].mimetype in {"application/problem+json", accept}
    assert "no database" not in refused[0].text
    assert refused[1].data == b""
    assert answered.text == "shown"
    assert len(caplog.records) == 2
    assert "Unlucky.on_start (tests/framework/application/test_failing_starts.py:" in caplog.text
    assert "on_start raised LookupError: no database" in caplog.text


def test_a_server_that_debugs_gets_the_error_of_a_start() -> None:
    """The debugger shows the error of the hook."""
    application = Application(Page, Unlucky, Log, debug=True)

    with pytest.raises(LookupError, match="no database"):
        Client(application).get("/")
