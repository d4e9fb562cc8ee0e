"""The blocking drivers of the SQL store: connect, run statements, and keep time limits."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib import import_module
from typing import Any

from sessions.errors import ConfigurationError
from sessions.stores.base import CALL_DEADLINE
from sessions.stores.deadlines import deadlines
from sessions.stores.sql_rows import (
    EntriesIn,
    NamesIn,
    Parameters,
    Row,
    entries_as_lists,
    entries_as_objects,
    names_as_list,
    names_as_nulls,
    with_each_name,
)
from sessions.stores.sql_schema import mysql_table, postgresql_table
from sessions.stores.sql_statements import MYSQL, POSTGRESQL, Statement

CONNECT_SHARE = 0.75
"""The part of a call's time that may pass until a new connection is open."""
ADOPT_SHARE = 0.5
"""The part of a call's time that the settings of a new connection may take."""
REPLY_TIMEOUT = CALL_DEADLINE
"""The seconds that a call waits for a reply."""

_INTERVAL = 0.1
_UNDEFINED_TABLE, _NO_SUCH_TABLE, _DUPLICATE, _DEADLOCK = "42P01", 1146, 1062, 1213
_UNDONE = ("40001", "40P01")


def required(module: str, owner: str, install: str) -> Any:
    """Import and return a driver; raise ConfigurationError if it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigurationError(
            f"{owner} needs the package {module}, which is not installed. Fix: run"
            f" pip install {install}"
        ) from error


def postgresql_settings(seconds: float) -> str:
    """Return the settings of a new connection: the isolation level and a time limit.

    The server ends a statement a little earlier than the client would.
    """
    return (
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;"
        f" SET statement_timeout = {int(seconds * 900)}"
    )


def mysql_settings(seconds: float, version: object) -> tuple[str, ...]:
    """Return the settings of a new connection: time limits, and errors for too long values."""
    settings: tuple[str, ...] = (
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES', SESSION innodb_lock_wait_timeout = 1,"
        # In another time zone, UNIX_TIMESTAMP(NOW()) jumps by an hour when summer time ends.
        " SESSION time_zone = '+00:00'",
    )
    if "MariaDB" in str(version):
        settings += (f"SET SESSION max_statement_time = {seconds * 0.9}",)
    return settings


class PostgreSQL:
    """The base class of the drivers of PostgreSQL."""

    language = POSTGRESQL
    names_in: NamesIn = staticmethod(names_as_list)
    entries_in: EntriesIn = staticmethod(entries_as_lists)
    tables = staticmethod(postgresql_table)

    def within(self, connection: Any, seconds: float) -> AbstractContextManager[None]:
        """Do nothing, because these drivers limit the time of each call themselves."""
        return nullcontext()

    def has_no_table(self, error: Exception) -> bool:
        """Return whether the error says that the table is missing."""
        return getattr(error, "sqlstate", None) == _UNDEFINED_TABLE

    def is_undone(self, error: Exception) -> bool:
        """Return whether the statement changed nothing, and can be tried again at once."""
        return getattr(error, "sqlstate", None) in _UNDONE


class MySQL:
    """The base class of the drivers of MariaDB and MySQL."""

    language = MYSQL
    names_in: NamesIn = staticmethod(names_as_nulls)
    entries_in: EntriesIn = staticmethod(entries_as_objects)
    tables = staticmethod(mysql_table)
    within = within_rest = staticmethod(deadlines.within)

    def has_no_table(self, error: Exception) -> bool:
        """Return whether the error says that the table is missing."""
        return error.args[:1] == (_NO_SUCH_TABLE,)

    def is_undone(self, error: Exception) -> bool:
        """Return whether the statement changed nothing, and can be tried again at once."""
        return error.args[:1] == (_DEADLOCK,)

    def is_duplicate(self, error: Exception) -> bool:
        """Return whether the error says that a row with the same key exists."""
        return error.args[:1] == (_DUPLICATE,)


class Psycopg(PostgreSQL):
    """PostgreSQL over psycopg 3, blocking."""

    def __init__(self, owner: str) -> None:
        self._psycopg = required("psycopg", owner, "'satsuma[sql]'")
        self._waiting = import_module("psycopg.waiting")
        self._generators = import_module("psycopg.generators")
        self.errors: tuple[type[Exception], ...] = (self._psycopg.Error, OSError)
        self.lost: tuple[type[Exception], ...] = (
            self._psycopg.OperationalError,
            self._psycopg.InterfaceError,
            OSError,
        )

    def check(self, parameters: Parameters) -> None:
        """Raise an error if the driver does not know one of the parameters."""
        self._conninfo(parameters)

    def connect(self, parameters: Parameters, seconds: float) -> Any:
        """Open a connection without `psycopg.connect`, which allows no limit below two seconds."""
        opening = self._generators.connect(self._conninfo(parameters))
        opened = self._waiting.wait_conn(
            opening, interval=_INTERVAL, timeout=seconds * CONNECT_SHARE
        )
        return self._psycopg.Connection(opened)

    def _conninfo(self, parameters: Parameters) -> str:
        # SQLAlchemy adds its type adapters here, which the store does not need.
        parameters.pop("context", None)
        conninfo: str = self._psycopg.conninfo.make_conninfo(**parameters)
        return conninfo

    def adopt(self, connection: Any, seconds: float) -> None:
        """Prepare a new connection for the store: autocommit, time limits and row format."""
        connection.wait = partial(
            self._waiting.wait,
            fileno=connection.pgconn.socket,
            interval=_INTERVAL,
            timeout=seconds,
        )
        connection.rollback()
        connection.autocommit = True
        connection.cursor_factory = self._psycopg.RawCursor
        connection.row_factory = self._psycopg.rows.tuple_row
        with self.within_rest(connection, seconds * ADOPT_SHARE):
            connection.execute(postgresql_settings(seconds))
        # A new cursor for each call would take a tenth of the call's time.
        connection.own_cursor = connection.cursor(binary=True)

    @contextmanager
    def within_rest(self, connection: Any, seconds: float) -> Iterator[None]:
        """Limit the time of the calls in the `with` block; later calls have the usual limit."""
        usual = connection.wait
        connection.wait = partial(usual, timeout=seconds)
        try:
            yield
        finally:
            connection.wait = usual

    def fetch(self, connection: Any, statement: Statement, values: Parameters) -> list[Row]:
        """Run a query, and return its rows."""
        sent = [values[name] for name in statement.names]
        cursor = connection.own_cursor
        rows: list[Row] = cursor.execute(statement.text, sent, prepare=True).fetchall()
        return rows

    def change(self, connection: Any, statement: Statement, values: Parameters) -> int:
        """Run a statement, and return the number of changed rows."""
        sent = [values[name] for name in statement.names]
        count: int = connection.own_cursor.execute(statement.text, sent, prepare=True).rowcount
        return count

    def run(self, connection: Any, texts: Iterable[str]) -> None:
        """Run several statements in order."""
        for text in texts:
            connection.execute(text)

    def close(self, connection: Any) -> None:
        """Close a connection, without waiting for an answer of the server."""
        connection.close()


class PyMySQL(MySQL):
    """MariaDB or MySQL over PyMySQL, blocking."""

    def __init__(self, owner: str) -> None:
        self._pymysql = required("pymysql", owner, "'satsuma[sql]'")
        failures = self._pymysql.err
        self.errors: tuple[type[Exception], ...] = (failures.Error, OSError)
        self.lost: tuple[type[Exception], ...] = (
            failures.OperationalError,
            failures.InterfaceError,
            OSError,
        )

    def check(self, parameters: Parameters) -> None:
        """Raise an error if the driver does not know one of the parameters."""
        self._pymysql.connect(**{**parameters, "charset": "utf8mb4", "defer_connect": True})

    def connect(self, parameters: Parameters, seconds: float) -> Any:
        """Open a connection."""
        limits = {
            "connect_timeout": seconds * CONNECT_SHARE,
            "read_timeout": seconds,
            "write_timeout": seconds,
        }
        settings = {**parameters, **limits, "charset": "utf8mb4", "defer_connect": True}
        connection = self._pymysql.connect(**settings)
        with self.within(connection, seconds * CONNECT_SHARE):
            connection.connect()
        return connection

    def adopt(self, connection: Any, seconds: float) -> None:
        """Prepare a new connection for the store: autocommit, time limits and row format."""
        if not connection.client_flag & self._pymysql.constants.CLIENT.FOUND_ROWS:
            raise ConfigurationError(
                "SQLStore got an Engine whose connections count only the rows that changed."
                " Fix: make the Engine with connect_args={'client_flag': CLIENT.FOUND_ROWS}, as"
                " SQLAlchemy does for a URL"
            )
        connection.autocommit(True)
        self.run(connection, mysql_settings(seconds, connection.get_server_info()))

    def fetch(self, connection: Any, statement: Statement, values: Parameters) -> list[Row]:
        """Run a query, and return its rows."""
        with connection.cursor(self._pymysql.cursors.Cursor) as cursor:
            cursor.execute(statement.text, values)
            return list(cursor.fetchall())

    def change(self, connection: Any, statement: Statement, values: Parameters) -> int:
        """Run a statement, and return the number of changed rows."""
        with connection.cursor(self._pymysql.cursors.Cursor) as cursor:
            try:
                count: int = cursor.execute(*with_each_name(statement.text, values))
            except self._pymysql.err.IntegrityError as error:
                if not self.is_duplicate(error):
                    raise
                return 0
            return count

    def run(self, connection: Any, texts: Iterable[str]) -> None:
        """Run several statements in order."""
        with connection.cursor() as cursor:
            for text in texts:
                cursor.execute(text)

    def close(self, connection: Any) -> None:
        """Close a connection, without waiting for an answer of the server."""
        if connection.open:
            connection.close()


BLOCKING: dict[str, Any] = {
    "postgresql+psycopg": Psycopg,
    "mariadb+pymysql": PyMySQL,
    "mysql+pymysql": PyMySQL,
}
