"""Sessions in a server that speaks MongoDB's protocol."""

from collections.abc import Iterator

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed")

from tests.support.mongo_contracts import AsyncMongoStoreOnServer, MongoStoreOnServer
from tests.support.mongo_servers import REAL_URL, WHY_NOT, has_server, mongo_server

pytestmark = pytest.mark.skipif(REAL_URL is None and not has_server(), reason=WHY_NOT)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give one server to all tests of the module."""
    if REAL_URL is not None:
        yield REAL_URL
        return
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server.url


class TestMongoStore(MongoStoreOnServer):
    """MongoStore keeps the contract."""


class TestAsyncMongoStore(AsyncMongoStoreOnServer):
    """AsyncMongoStore keeps the contract."""
