"""Systems without features of POSIX, such as Windows: no forks, no links, few signals."""

import subprocess
import sys
from pathlib import Path

WITHOUT_POSIX = """
import os, random, signal, sys
for name in ("register_at_fork", "fork", "O_CLOEXEC", "link", "getuid", "killpg", "setsid"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGCHLD", "SIGUSR1", "SIGALRM"):
    delattr(signal, name)
for name in ("fcntl", "termios", "pwd", "grp", "resource"):
    sys.modules[name] = None
"""

IMPORT_ALL = """
import importlib, pkgutil
import framework, sessions
for package in (sessions, framework):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""

SERVE = """
from framework import Application, controller, get, session

@controller("/")
class Visits:
    @get("/")
    def show(self, session: session) -> int:
        session["visits"] = session.get("visits", 0) + 1
        return session["visits"]

for _ in range(2):
    with Application(Visits).test() as client:
        print(client.get("/").json, client.get("/").json)
print(*sorted(os.listdir(".framework"))[:3], os.stat(".framework/session.key").st_mode & 0o777)
"""


def output_of(program: str, folder: Path) -> list[str]:
    """Return the lines that a program prints in a process without the names of POSIX."""
    command = [sys.executable, "-c", WITHOUT_POSIX + program]
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_module_is_imported(tmp_path: Path) -> None:
    """No module of the two packages needs forks, links or signals to be imported."""
    assert output_of(IMPORT_ALL, tmp_path) == []


def test_an_application_with_the_default_sessions_serves(tmp_path: Path) -> None:
    """The key is made once, and a second application finds it."""
    lines = output_of(SERVE, tmp_path)

    assert lines == ["1 2", "1 2", ".gitignore session.key sessions.db 384"]
