"""Which tests of stores run: those of SQL servers and MongoDB only if they are asked for."""

import os
from collections.abc import Iterator

import pytest

from tests.support.patience import patience


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the tests that start database servers, which take long."""
    if os.environ.get("TEST_SERVERS"):
        return
    skip = pytest.mark.skip(reason="starts database servers: set TEST_SERVERS=1")
    for item in items:
        name = item.path.stem
        if item.path.parent.name == "stores" and (
            name == "test_sql" or name.startswith(("test_sql_", "test_mongo"))
        ):
            item.add_marker(skip)


@pytest.fixture
def punctual() -> None:
    """Let the stores in a test give up after their normal deadline."""


@pytest.fixture(autouse=True)
def _patience(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let all other stores wait longer, because the machine may be busy."""
    if "punctual" in request.fixturenames:
        yield
        return
    with patience():
        yield
