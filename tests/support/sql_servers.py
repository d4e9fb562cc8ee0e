"""Real PostgreSQL and MariaDB servers for tests, on free ports, in folders of their own."""

import os
import pwd
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from tests.support.processes import LocalServer

NO_POSTGRESQL = "no PostgreSQL server is here: apt install postgresql"
NO_MARIADB = "no MariaDB server is here: apt install mariadb-server"
_USER = "nobody"


def postgresql_folder() -> Path | None:
    """Return the folder of the programs of PostgreSQL, None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    named = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(named).resolve().parent if named else None


def mariadb_binary() -> str | None:
    """Return the path of the server, None if there is none."""
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")


class SQLServer(LocalServer):
    """A server that a test starts, stops, breaks and starts again."""

    url: str
    """The address of its database for the blocking store."""
    async_urls: tuple[str, ...]
    """The addresses for the asynchronous store, one for each driver."""
    reads_only: tuple[str, ...]
    reads_and_writes: tuple[str, ...]

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def command(self) -> list[str]:
        """Return what starts the server."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Return whether the server can be used."""
        raise NotImplementedError

    def start(self, full_at: int | None = None) -> None:
        """Start the server and wait until it answers.

        With `full_at`, the disk is full for it as soon as a file has that many bytes.
        """
        limit = resource.RLIM_INFINITY if full_at is None else full_at
        limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                user=_user(),
                start_new_session=True,
                preexec_fn=limited if full_at else None,
            )
        deadline = time.monotonic() + 30
        while not self.answers():
            assert time.monotonic() < deadline, (self.folder / "server.log").read_text()
            time.sleep(0.02)

    @contextmanager
    def only_reading(self) -> Iterator[None]:
        """Let new connections only read."""
        for statement in self.reads_only:
            self.run(statement)
        try:
            yield
        finally:
            self.run(*self.reads_and_writes)

    def connect(self) -> Connection:
        """Open a connection for another program."""
        return create_engine(self.url, poolclass=NullPool).connect()

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the owner of the database, and return the rows of the last one."""
        with self.connect() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
            rows = [tuple(row) for row in result] if result.returns_rows else []
            connection.commit()
            return rows


class PostgreSQLServer(SQLServer):
    """A PostgreSQL server that only this machine can reach."""

    reads_only = ("ALTER DATABASE postgres SET default_transaction_read_only = on",)
    reads_and_writes = (
        "SET TRANSACTION READ WRITE",
        "ALTER DATABASE postgres RESET default_transaction_read_only",
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        place = f"postgres@127.0.0.1:{self.port}/postgres"
        self.url = f"postgresql+psycopg://{place}"
        self.async_urls = (self.url, f"postgresql+asyncpg://{place}")
        programs = postgresql_folder()
        assert programs is not None
        self._programs = programs
        initdb = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "postgres"]
        options = ["-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C"]
        subprocess.run([*initdb, *options], check=True, user=_user(), stdout=subprocess.DEVNULL)

    def command(self) -> list[str]:
        """Return what starts the server."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 60,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options]

    def answers(self) -> bool:
        """Return whether the server can be used."""
        asked = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0


class MariaDBServer(SQLServer):
    """A MariaDB server that only this machine can reach."""

    reads_only = ("SET GLOBAL tx_read_only = 1",)
    reads_and_writes = ("SET GLOBAL tx_read_only = 0",)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        place = f"tester:secret@127.0.0.1:{self.port}/test"
        self.url = f"mariadb+pymysql://{place}"
        self.async_urls = (f"mysql+asyncmy://{place}",)
        install = shutil.which("mariadb-install-db")
        assert install is not None
        options = ["--no-defaults", f"--datadir={folder / 'data'}", "--skip-test-db"]
        options += ["--auth-root-authentication-method=normal", "--innodb-flush-method=fsync"]
        (folder / "data").mkdir()
        _give(folder / "data")
        subprocess.run(
            [install, *options], check=True, user=_user(), stdout=subprocess.DEVNULL, env=_ENV
        )
        (folder / "init.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS test;\n"
            "CREATE USER IF NOT EXISTS tester@'127.0.0.1' IDENTIFIED BY 'secret';\n"
            "GRANT SUPER ON *.* TO tester@'127.0.0.1';\n"
            "GRANT ALL ON test.* TO tester@'127.0.0.1' WITH GRANT OPTION;\n"
            "CREATE USER IF NOT EXISTS webapp@'127.0.0.1' IDENTIFIED BY 'secret';\n"
        )

    def command(self) -> list[str]:
        """Return what starts the server."""
        binary = mariadb_binary()
        assert binary is not None
        return [
            *(binary, "--no-defaults", f"--datadir={self.folder / 'data'}", f"--port={self.port}"),
            *("--bind-address=127.0.0.1", f"--socket={self.folder / 'socket'}"),
            *("--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve"),
            *("--innodb-buffer-pool-size=32M", f"--init-file={self.folder / 'init.sql'}"),
        ]

    def answers(self) -> bool:
        """Return whether the server can be used."""
        return "ready for connections" in (self.folder / "server.log").read_text()

    def stop(self) -> None:
        """End the server at once, with all its processes."""
        super().stop()
        (self.folder / "server.log").unlink(missing_ok=True)


@contextmanager
def postgresql() -> Iterator[PostgreSQLServer]:
    """Give a running PostgreSQL server."""
    with _folder() as folder:
        server = PostgreSQLServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def mariadb() -> Iterator[MariaDBServer]:
    """Give a running MariaDB server."""
    with _folder() as folder:
        server = MariaDBServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}


@contextmanager
def _folder() -> Iterator[Path]:
    # The folders of pytest may be read by their owner only, and the servers refuse root.
    with tempfile.TemporaryDirectory(prefix="sql-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _give(folder)
        yield folder


def _give(path: Path) -> None:
    user = _user()
    if user is not None:
        shutil.chown(path, user)


def _user() -> str | None:
    """Return the user that runs the server. The servers refuse to run as root."""
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        return None
    return _USER if os.geteuid() == 0 else None
