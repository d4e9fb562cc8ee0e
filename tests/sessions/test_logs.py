"""Access logs without the ids of sessions."""

import logging
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.logs import HideIds
from sessions.transports.url import take_out

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
        (f"/?%77Session={TOKEN}", "/?%77Session=hidden"),
        (f"/?a=1&w%53%65ssi%6fn={TOKEN}&b=2", "/?a=1&w%53%65ssi%6fn=hidden&b=2"),
        (f"/?w%53e%73%73i%6F%6e={TOKEN}", "/?w%53e%73%73i%6F%6e=hidden"),
        (f"/?wSession={TOKEN.replace('k', '%6b')}", "/?wSession=hidden"),
        (f"/login?next=%2Fa%3FwSession%3D{TOKEN}", "/login?next=%2Fa%3FwSession%3Dhidden"),
        (
            f"/?a=%252F%253Fb%2526%2577Session%253D{TOKEN}",
            "/?a=%252F%253Fb%2526%2577Session%253Dhidden",
        ),
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


def test_a_formatter_can_read_the_mapping() -> None:
    """A formatter for JSON takes its fields from there."""
    atoms = {"r": f"GET /?wSession={TOKEN} HTTP/1.1", "s": 200, "f": None}
    record = logging.LogRecord("gunicorn.access", 20, "", 1, "%(r)s", (atoms,), None)
    HideIds().filter(record)

    assert isinstance(record.args, Mapping)
    assert dict(record.args) == {"r": "GET /?wSession=hidden HTTP/1.1", "s": 200, "f": None}
    assert record.args.get("x", "-") == "-"
    assert atoms["r"] == f"GET /?wSession={TOKEN} HTTP/1.1"


def test_the_parameter_can_have_another_name() -> None:
    """The name is that of the URLTransport."""
    assert _line(HideIds("sid"), f"/?sid={TOKEN}&wSession=x") == "/?sid=hidden&wSession=x"


def test_other_arguments_stay() -> None:
    """Arguments without an id are not changed."""
    path = Path("/a")
    record = logging.LogRecord("access", 20, "", 1, "%s %r %s", (7, None, path), None)
    HideIds().filter(record)

    assert record.args == (7, None, path)
    assert isinstance(record.args, tuple)
    assert record.args[2] is path


@given(st.data())
def test_no_spelling_that_the_transport_reads_gets_into_a_log(data: st.DataObject) -> None:
    """What opens a session is hidden, and what opens none may stay."""
    parameter = data.draw(st.sampled_from(["wSession", "s", "s_-1"]))
    name = "".join(
        data.draw(st.sampled_from([one, f"%{ord(one):02x}", f"%{ord(one):02X}"]))
        for one in parameter
    )
    before = data.draw(st.text("ab&=%25+s", max_size=6))
    query = f"{before}&{name}={TOKEN}"

    assert take_out(query, parameter)[1][-1] == TOKEN
    assert TOKEN not in _line(HideIds(parameter), '"GET %s HTTP/1.1"', f"/?{query}")


@pytest.mark.parametrize("kind", ["bytes", "url"])
def test_an_object_whose_text_has_an_id_is_hidden(kind: str) -> None:
    """Frameworks log their own objects for URLs."""
    url = f"/?wSession={TOKEN}"

    class URL:
        def __str__(self) -> str:
            return url

    assert TOKEN not in _line(HideIds(), "GET %s", url.encode() if kind == "bytes" else URL())
    assert TOKEN not in _line(HideIds(), "GET %r", url.encode())


def test_an_object_without_a_text_breaks_no_request(capsys: pytest.CaptureFixture[str]) -> None:
    """The handler of the log tells its error, as it does without the filter."""

    class Broken:
        def __str__(self) -> str:
            raise LookupError("a bug of the object")

    # This logger has no parent, so no handler of the test runner hears it.
    logger = logging.Logger("access")
    logger.addHandler(logging.StreamHandler())
    logger.addFilter(HideIds())

    logger.warning("GET %s", Broken())

    assert "a bug of the object" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["%25", "%", "%2525", "wSession=", "%77", "&wSession"])
def test_a_long_line_takes_no_long_time(text: str) -> None:
    """The time grows with the length, not with its square."""
    began = process_time()
    HideIds().hidden(text * (1_000_000 // len(text)))

    assert process_time() - began < 5
