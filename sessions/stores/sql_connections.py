"""The connections of the SQL stores, separate from the connections of the application.

A connection is opened from a URL, or with the settings of the application's Engine. The store never
uses a connection of the application. So a session is committed even if a transaction of the
application is rolled back.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.util import greenlet_spawn

from sessions.errors import ConfigurationError
from sessions.stores.base import without_password
from sessions.stores.sql_async_drivers import ASYNCHRONOUS
from sessions.stores.sql_drivers import ADOPT_SHARE, BLOCKING, REPLY_TIMEOUT
from sessions.stores.url_checks import IS_CUT, may_cut_password, remedy_of

T = TypeVar("T")

POOL_SIZE = 20
_POOL_TIMEOUT = 0.3
"""The seconds that a call waits for a connection if other calls use all of them."""
_NO_MORE_TRIES = 0.2
"""A failed call is tried again only if it took less than this number of seconds."""
_SCHEMA_TIMEOUT = 30.0


_EVERY_DRIVER = {**BLOCKING, **ASYNCHRONOUS}


def url_of(url: Any, drivers: dict[str, Any], owner: str) -> URL:
    """Return the parsed URL; raise ConfigurationError if the store cannot use its database."""
    try:
        parts = make_url(url)
    except (SQLAlchemyError, ValueError, TypeError, AttributeError):
        parts = None
    shown = without_password(url) if parts is None or isinstance(url, str) else shown_url(parts)
    if parts is not None and "+" not in parts.drivername:
        # If the URL has no driver, use the first driver for its database.
        suited = [name for name in drivers if name.startswith(f"{parts.drivername}+")]
        parts = parts.set(drivername=suited[0]) if suited else parts
    if parts is not None and _is_cut(url, parts):
        raise ConfigurationError(f"{owner}.from_url({shown!r}) {IS_CUT}")
    if parts is None or parts.drivername not in drivers:
        what = "is not a URL of a database that the store can use. Fix:"
        if parts is None and shown.startswith(tuple(drivers)):
            what = "has a wrong host or port. Fix: write a number as the port, and"
        if parts is not None and parts.drivername in _EVERY_DRIVER:
            other = owner.removeprefix("Async") if owner.startswith("Async") else f"Async{owner}"
            what = f"is a URL for {other}. Fix: write {other}.from_url(...), or"
        raise ConfigurationError(
            f"{owner}.from_url({shown!r}) {what} begin the URL with"
            f" {', '.join(f'{name}://' for name in drivers)}"
        )
    return parts


def _is_cut(url: object, parts: URL) -> bool:
    """Return whether SQLAlchemy reads a part of the password as a host or a database."""
    if "@" in (parts.host or ""):
        return True
    if not isinstance(url, str) or not may_cut_password(url):
        return False
    # SQLAlchemy accepts a / in a password, if the host follows the last @.
    after = url.rpartition("@")[2].removeprefix("[")
    return not (parts.host and after.startswith(parts.host))


def driver_of(engine: Any, drivers: dict[str, Any], owner: str) -> Any:
    """Return the driver of an Engine; raise ConfigurationError if the store cannot use it."""
    if isinstance(engine, str | URL):
        raise ConfigurationError(
            f"{owner} got a URL, not an Engine. Fix: write {owner}.from_url(...) with the URL"
        )
    url = getattr(engine, "url", None)
    if isinstance(url, URL) and "@" in (url.host or ""):
        raise ConfigurationError(f"{owner} got an Engine, whose URL {shown_url(url)!r} {IS_CUT}")
    is_asynchronous = hasattr(engine, "sync_engine")
    dialect = getattr(engine, "dialect", None)
    name = f"{getattr(dialect, 'name', '')}+{getattr(dialect, 'driver', '')}"
    if name not in drivers or is_asynchronous is not owner.startswith("Async"):
        shown = f"<{type(engine).__name__} {shown_url(url)}>" if isinstance(url, URL) else engine
        raise ConfigurationError(
            f"{owner}({shown}) is not an"
            f" {'AsyncEngine' if owner.startswith('Async') else 'Engine'} that the store can use."
            f" Fix: give one for {', '.join(f'{name}://' for name in drivers)}, or give a URL to"
            f" {owner}.from_url"
        )
    return drivers[name](owner)


def shown_url(url: URL) -> str:
    """Return a URL for messages, without user, password and options."""
    if "@" in f"{url.host}{url.database}":
        # A part of the password may count as the host or the database.
        return f"{url.drivername}://***"
    return without_password(url.render_as_string(hide_password=True))


def _parameters(driver: Any, url: URL) -> dict[str, Any]:
    """Return the parameters of the driver; raise ConfigurationError if it refuses an option."""
    try:
        return _checked_parameters(driver, url)
    except (SQLAlchemyError, TypeError, ValueError, *driver.errors) as error:
        # The text of the error may have the value of an option, which can be a password.
        names = _refused(driver, url)
        shown = "".join(f" {name!r}" for name in names)
        raise ConfigurationError(
            f"the URL {shown_url(url)!r} has an option that the driver refuses:{shown}"
            f" ({type(error).__name__}). Fix: {remedy_of(names, 'SQLStore')}"
        ) from None


def _checked_parameters(driver: Any, url: URL) -> dict[str, Any]:
    dialect: Any = url.get_dialect()
    _, parameters = dialect(dbapi=dialect.import_dbapi()).create_connect_args(url)
    driver.check(dict(parameters))
    return dict(parameters)


def _refused(driver: Any, url: URL) -> list[str]:
    """Test each option alone, and return the names of the options that the driver refuses."""
    names = []
    for name, value in url.query.items():
        try:
            _checked_parameters(driver, url.set(query={name: value}))
        except (SQLAlchemyError, TypeError, ValueError, *driver.errors):
            names.append(name)
    return [name for name in names if name.isidentifier()]


class BlockingSource:
    """Open connections from a URL, or with the settings of an Engine."""

    def __init__(self, driver: Any, url: URL, engine: Engine | None = None) -> None:
        self._driver = driver
        self._parameters = _parameters(driver, url) if engine is None else {}
        # This is a separate pool, because a request may hold the application's last connection, and
        # would then wait for itself.
        self._pool = None if engine is None else engine.pool.recreate()

    def open(self, seconds: float) -> Any:
        """Return a new connection that is prepared for the store."""
        if self._pool is None:
            connection = self._driver.connect(dict(self._parameters), seconds)
        else:
            lent = self._pool.connect()
            connection = lent.driver_connection
            lent.detach()
        try:
            with self._driver.within(connection, seconds * ADOPT_SHARE):
                self._driver.adopt(connection, seconds)
        except BaseException:
            self._driver.close(connection)
            raise
        return connection

    def seconds_left(self, began: float) -> float:
        """Return the seconds that the first call over a new connection can wait for its reply."""
        # An Engine has its own limit for the time in which it connects.
        return REPLY_TIMEOUT - (time.monotonic() - began if self._pool is None else 0)


class Connections:
    """A pool of connections for calls from threads."""

    def __init__(self, driver: Any, source: BlockingSource, size: int) -> None:
        self._driver = driver
        self._source = source
        self._size = size
        self._inherited: list[Any] = []
        self._begin()

    def _begin(self) -> None:
        self._idle: list[Any] = []
        # A queue is faster than a semaphore of Python.
        self._slots: SimpleQueue[None] = SimpleQueue()
        for _ in range(self._size):
            self._slots.put(None)
        # Set this last: a thread of a child process must not take a connection of the parent.
        self._process = os.getpid()

    def use(self, work: Callable[[Any], T], *, is_repeatable: bool = True) -> T:
        """Call `work` with a connection; if the connection is lost, try again with a new one."""
        if self._process != os.getpid():
            # After a fork, the connections belong to the parent process. A close here would also
            # end them there.
            self._inherited.append(self._idle)
            self._begin()
        slots = self._slots
        try:
            slots.get(timeout=_POOL_TIMEOUT)
        except Empty:
            raise TimeoutError(f"all {self._size} connections are in use") from None
        began = time.monotonic()
        try:
            try:
                return self._once(work, began)
            except self._driver.errors as error:
                if not may_repeat(self._driver, error, began, is_repeatable=is_repeatable):
                    raise
            return self._once(work, began)
        finally:
            slots.put(None)

    def alone(self, texts: Callable[[Any], None]) -> None:
        """Call `texts`, which creates tables, with a new connection and a longer time limit."""
        connection = self._source.open(_SCHEMA_TIMEOUT)
        try:
            texts(connection)
        finally:
            self._driver.close(connection)

    def close(self) -> None:
        """Close the connections that no call uses."""
        if self._process == os.getpid():
            while self._idle:
                self._driver.close(self._idle.pop())

    def _once(self, work: Callable[[Any], T], began: float) -> T:
        idle = self._idle
        try:
            connection = idle.pop()
            limited = self._driver.within(connection, REPLY_TIMEOUT)
        except IndexError:
            connection = self._source.open(REPLY_TIMEOUT)
            limited = self._driver.within_rest(connection, self._source.seconds_left(began))
        try:
            with limited:
                done = work(connection)
        except BaseException as error:
            self._driver.close(connection)
            if isinstance(error, self._driver.lost):
                # The other connections are probably lost too.
                self.close()
            raise
        idle.append(connection)
        return done


class AsyncSource:
    """Open connections from a URL, or with the settings of an AsyncEngine."""

    def __init__(self, driver: Any, url: URL, engine: Any = None) -> None:
        self._driver = driver
        self._parameters = _parameters(driver, url) if engine is None else {}
        self._engine = engine

    async def open(self, seconds: float) -> Any:
        """Return a new connection that is prepared for the store."""
        if self._engine is None:
            connection = await self._driver.connect(dict(self._parameters), seconds)
        else:
            connection = await greenlet_spawn(self._open_as_engine)
        try:
            await self._driver.adopt(connection, seconds)
        except BaseException:
            self._driver.drop(connection)
            raise
        return connection

    def seconds_left(self, began: float) -> float | None:
        """Return the seconds left to connect and make one call, or None if there is no limit."""
        # An Engine has its own limit for the time in which it connects.
        return REPLY_TIMEOUT - (time.monotonic() - began) if self._engine is None else None

    def _open_as_engine(self) -> Any:
        # A pool of asyncio belongs to one event loop, so each connection is made by a new pool.
        engine: Any = self._engine
        lent = engine.sync_engine.pool.recreate().connect()
        connection = lent.driver_connection
        lent.detach()
        return connection


class _OfLoop:
    """The connections of one event loop."""

    def __init__(self, size: int) -> None:
        self.idle: list[Any] = []
        self.slots = asyncio.Semaphore(size)


class AsyncConnections:
    """Pools of connections for calls from tasks, one pool for each event loop."""

    def __init__(self, driver: Any, source: AsyncSource, size: int) -> None:
        self._driver = driver
        self._source = source
        self._size = size
        self._loops: dict[asyncio.AbstractEventLoop, _OfLoop] = {}

    async def use(self, work: Callable[[Any], Awaitable[T]], *, is_repeatable: bool = True) -> T:
        """Call `work` with a connection; if the connection is lost, try again with a new one."""
        mine = self._of_this_loop()
        if mine.slots.locked():
            async with asyncio.timeout(_POOL_TIMEOUT):
                await mine.slots.acquire()
        else:
            await mine.slots.acquire()
        began = time.monotonic()
        try:
            try:
                return await self._once(work, mine, began)
            except self._driver.errors as error:
                if not may_repeat(self._driver, error, began, is_repeatable=is_repeatable):
                    raise
            return await self._once(work, mine, began)
        finally:
            mine.slots.release()

    async def alone(self, work: Callable[[Any], Awaitable[None]]) -> None:
        """Call `work`, which creates tables, with a new connection and a longer time limit."""
        connection = await self._source.open(_SCHEMA_TIMEOUT)
        try:
            async with asyncio.timeout(_SCHEMA_TIMEOUT):
                await work(connection)
        finally:
            self._driver.drop(connection)

    def close(self) -> None:
        """Close the idle connections of this event loop."""
        mine = self._of_this_loop()
        while mine.idle:
            self._driver.drop(mine.idle.pop())

    def _of_this_loop(self) -> _OfLoop:
        loop = asyncio.get_running_loop()
        mine = self._loops.get(loop)
        if mine is None:
            for other in [other for other in self._loops if other.is_closed()]:
                del self._loops[other]
            mine = self._loops[loop] = _OfLoop(self._size)
        return mine

    async def _once(self, work: Callable[[Any], Awaitable[T]], mine: _OfLoop, began: float) -> T:
        if mine.idle:
            return await self._over(mine.idle.pop(), work, mine)
        # The time to open the connection counts as a part of the call.
        async with asyncio.timeout(self._source.seconds_left(began)):
            return await self._over(await self._source.open(REPLY_TIMEOUT), work, mine)

    async def _over(self, connection: Any, work: Callable[[Any], Awaitable[T]], mine: _OfLoop) -> T:
        try:
            done = await work(connection)
        except BaseException as error:
            self._driver.drop(connection)
            if isinstance(error, self._driver.lost):
                while mine.idle:
                    self._driver.drop(mine.idle.pop())
            raise
        mine.idle.append(connection)
        return done


def may_repeat(driver: Any, error: Exception, began: float, *, is_repeatable: bool) -> bool:
    """Return whether a failed call can be tried again, safely and in time."""
    if time.monotonic() - began > _NO_MORE_TRIES:
        return False
    if driver.is_undone(error):
        return True
    return is_repeatable and isinstance(error, driver.lost)
