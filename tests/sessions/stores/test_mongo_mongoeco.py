"""Sessions in mongoeco, a second server that speaks MongoDB's protocol."""

from collections.abc import Iterator

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed")

from tests.support.mongo_contracts import AsyncMongoStoreOnServer, MongoStoreOnServer
from tests.support.mongo_servers import mongoeco_server, why_no_mongoeco

pytestmark = pytest.mark.skipif(why_no_mongoeco() is not None, reason=str(why_no_mongoeco()))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give one server to all tests of the module."""
    with mongoeco_server(tmp_path_factory.mktemp("mongoeco")) as server:
        yield server.url


class TestMongoStore(MongoStoreOnServer):
    """MongoStore keeps the contract."""


class TestAsyncMongoStore(AsyncMongoStoreOnServer):
    """AsyncMongoStore keeps the contract."""
