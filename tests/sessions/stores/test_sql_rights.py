"""Users of a database who do not exist, or who may not make the table: what the errors say."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")

from sqlalchemy.engine import make_url

from sessions import StoreUnavailable
from sessions.stores.sql import AsyncSQLStore, SQLStore
from tests.support.commands import commands_in
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KINDS

WORD = "secret"


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give a server without the tables."""
    with request.param() as server:
        server.run("DROP TABLE IF EXISTS sessions", "DROP TABLE IF EXISTS session_users")
        yield server


def urls_of(server: SQLServer, user: str) -> dict[str, str]:
    """Return the URLs of the server for this user, by the class of the store."""
    changed = [
        make_url(url).set(username=user, password=WORD).render_as_string(hide_password=False)
        for url in (server.url, server.async_urls[0])
    ]
    return dict(zip(("SQLStore", "AsyncSQLStore"), changed, strict=True))


def told_of_load(name: str, url: str) -> str:
    """Return the error of a load."""

    async def load() -> None:
        await AsyncSQLStore.from_url(url).load("key")

    with pytest.raises(StoreUnavailable) as caught:
        asyncio.run(load()) if name == "AsyncSQLStore" else SQLStore.from_url(url).load("key")
    return str(caught.value)


@pytest.mark.parametrize("name", ["SQLStore", "AsyncSQLStore"])
def test_an_unknown_user_of_the_server_has_a_remedy(server: SQLServer, name: str) -> None:
    """MariaDB does not say whether the user exists."""
    told = told_of_load(name, urls_of(server, "nobody_here")[name])

    if server.url.startswith("postgresql"):
        assert 'role "nobody_here" does not exist' in told
        assert "Fix: create the user on the server, or correct its name in the URL" in told
    else:
        assert "Fix: correct the user and the password in the URL of the store" in told
    assert "secret" not in told


def test_a_missing_table_names_the_command(
    server: SQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of sessions say so, too."""
    with commands_in(tmp_path, monkeypatch) as framework:
        result = framework("sessions", "list", server.url)

    assert result.exit_code == 1
    assert "has no table sessions. Fix: call create_schema() of the store once" in result.output
    assert "`framework sessions migrate --url URL` does this" in result.output


def test_a_user_without_the_right_to_make_tables_has_a_remedy(
    server: SQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights to read and write are not enough for a migration."""
    if server.url.startswith("postgresql"):
        server.run("DROP ROLE IF EXISTS webapp", "CREATE ROLE webapp LOGIN PASSWORD 'secret'")
        server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    else:
        server.run("GRANT SELECT ON test.* TO webapp@'127.0.0.1'")
    url = urls_of(server, "webapp")["SQLStore"]
    with commands_in(tmp_path, monkeypatch) as framework:
        result = framework("sessions", "migrate", "--url", url)

    assert result.exit_code == 1
    assert "Fix: let a database user who may create tables run" in result.output
    assert "secret" not in result.output
