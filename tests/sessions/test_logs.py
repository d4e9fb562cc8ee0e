"""Access logs without the ids of sessions."""

import logging
from typing import Any

import pytest

from sessions.logs import HideIds

TOKEN = "kWcoWNJqK9QkoqMWebUAZgWDCpfnkUiW2mbHwmcLU9mEk.3aFBNzu1kG1x2"  # noqa: S105


def _line(filter: logging.Filter, message: str, *args: Any) -> str:
    record = logging.LogRecord("access", logging.INFO, "", 1, message, args, None)
    assert filter.filter(record) is True
    return record.getMessage()


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        (f"GET /?wSession={TOKEN} HTTP/1.1", "GET /?wSession=hidden HTTP/1.1"),
        (f'"GET /a?x=1&wSession={TOKEN}&y=2"', '"GET /a?x=1&wSession=hidden&y=2"'),
        (f"/?wSession={TOKEN}#top", "/?wSession=hidden#top"),
        (f"wSession={TOKEN}&wSession={TOKEN}", "wSession=hidden&wSession=hidden"),
        (f"/?myWSession={TOKEN}", f"/?myWSession={TOKEN}"),
        (f"/?awSession={TOKEN}", f"/?awSession={TOKEN}"),
        ("/?wSession=", "/?wSession="),
        ("/wSession", "/wSession"),
    ],
)
def test_an_id_is_hidden(line: str, hidden: str) -> None:
    """The id is hidden in the message, and in its arguments."""
    filter = HideIds()

    assert _line(filter, line) == hidden
    assert _line(filter, "%s %d", line, 200) == f"{hidden} 200"


def test_the_arguments_keep_their_number_and_types() -> None:
    """uvicorn's formatter reads each argument."""
    args = ("192.0.2.7:4711", "GET", f"/?wSession={TOKEN}", "1.1", 200)
    record = logging.LogRecord("uvicorn.access", 20, "", 1, '%s - "%s %s HTTP/%s" %d', args, None)
    HideIds().filter(record)

    assert record.args == ("192.0.2.7:4711", "GET", "/?wSession=hidden", "1.1", 200)


def test_a_mapping_of_arguments_is_hidden() -> None:
    """gunicorn uses a mapping that also has values for unknown names."""

    class Atoms(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            return super().get(key, "-")

    atoms = Atoms(r=f"GET /?wSession={TOKEN} HTTP/1.1", s="200")

    assert _line(HideIds(), '"%(r)s" %(s)s %(x)s', atoms) == (
        '"GET /?wSession=hidden HTTP/1.1" 200 -'
    )


def test_the_parameter_can_have_another_name() -> None:
    """The name is that of the URLTransport."""
    assert _line(HideIds("sid"), f"/?sid={TOKEN}&wSession=x") == "/?sid=hidden&wSession=x"


def test_other_arguments_stay() -> None:
    """Arguments that are not text are not changed."""
    record = logging.LogRecord("access", 20, "", 1, "%s %r", (7, None), None)
    HideIds().filter(record)

    assert record.args == (7, None)
